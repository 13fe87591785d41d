"""batchgen: carries a manifest of prompts and models through the Scenario API.

Nothing is imported here, so that ``batchgen --help`` costs next to nothing.
"""

__version__ = "0.1.0"
