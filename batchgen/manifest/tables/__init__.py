"""Tables and files that a manifest names: CSV, JSON lines, text, and local inputs."""
