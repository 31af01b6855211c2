"""A chart becomes facts: known, absent or unknown."""
