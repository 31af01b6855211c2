"""What a card rests on, for people: claims, logic in words, thresholds, evidence, limits."""
