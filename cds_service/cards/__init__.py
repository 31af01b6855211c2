"""Findings become cards: what is said, in which card, and what is left out."""
