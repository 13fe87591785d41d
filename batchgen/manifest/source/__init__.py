"""Files as they are written: their text, YAML and scalars, where each part stands, and problems."""
