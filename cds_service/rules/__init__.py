"""Conditions, their three-valued logic, verdicts and traces."""
