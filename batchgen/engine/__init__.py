"""Doing it: knows ports and pure decisions, and no adapter."""
