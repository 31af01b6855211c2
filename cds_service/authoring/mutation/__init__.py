"""Mutation testing of rules: changes, the cases that notice them, what survived."""
