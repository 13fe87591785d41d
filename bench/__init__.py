"""Measures batchgen against a lean loopback server in another process: ``make bench``."""
