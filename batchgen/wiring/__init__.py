"""Wiring: where what a use case is given gets opened, adapters and all."""
