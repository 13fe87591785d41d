"""Use cases: what a command does, given what was opened for it."""
