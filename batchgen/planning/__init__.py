"""The plan: the manifest in the light of the journal. Pure: no I/O, no time."""
