"""Tables and texts as people export and write them, each with the jobs that are right or the exact sentences.

The bytes stand in Python texts with every line end written out, so that no checkout changes them.
"""
