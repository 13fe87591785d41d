"""Watching: finding out when submissions end, by looks and by sweeps."""
