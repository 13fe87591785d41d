"""The catalog: what models declare of their inputs, and whether jobs fit it."""
