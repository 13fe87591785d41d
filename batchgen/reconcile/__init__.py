"""Paid work without a record: whose a listed row is, which job it stands for, and what is concluded."""
