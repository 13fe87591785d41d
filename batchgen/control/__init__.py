"""Orders to a run that goes on: what they are, who hands them over, and who takes them."""
