"""A journal in a PostgreSQL database: for many hosts, and for disks that do not last."""
