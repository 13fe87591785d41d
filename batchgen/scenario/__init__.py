"""The adapter that speaks Scenario's REST API.

Their JSON becomes our values and their failures our error tree in here, and nowhere else:
an HTTP status, a header or a key of theirs never leaves this package.
"""
