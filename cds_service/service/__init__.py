"""The use case: a request and its chart become cards and a decision record."""
