"""batchgen: carries a manifest of prompts and models through the Scenario API.

The parts of the Python API are loaded when they are first asked for, so that importing
the package, and ``batchgen --help`` with it, costs next to nothing.
"""

__version__ = "0.1.0"
