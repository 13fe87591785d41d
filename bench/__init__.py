"""Measures batchgen, and beside it in the same run the official SDK in a loop and a bare HTTP loop.

Nothing here is part of the product, and nothing in the product is measured by what it says of itself:
durations, charges and requests are counted at the service.
"""
