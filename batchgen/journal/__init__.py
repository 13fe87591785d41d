"""The journal: one SQLite file that holds the truth for all batches of an output folder."""
