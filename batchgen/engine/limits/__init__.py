"""Limits: how much may go out, how fast, and what it may cost."""
