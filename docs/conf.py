"""The pages as a site: built by ``make docs``, in which every warning is an error."""

from batchgen import __version__

project = "batchgen"
author = "the batchgen developers"
release = version = __version__
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "batchgen"
nitpicky = True
suppress_warnings = ["misc.highlighting_failure"]  # tables have no colours
exclude_patterns = ["_build"]
