"""Words of the command line to a call of the app, and back to an exit status. Thin."""
