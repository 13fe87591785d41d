"""The manifest: what the user writes, read, checked and expanded to jobs.

The parts are imported by their own names (``manifest.reading``, ``manifest.quantities``), so
that a command line that only wants to read a rate does not pay for the rest.
"""
