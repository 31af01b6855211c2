"""Units of measurement: their tables, and conversion."""
