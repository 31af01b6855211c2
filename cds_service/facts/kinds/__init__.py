"""One module a kind of fact in `hooks/facts.json`, named as there."""
