"""Who may call and how they speak: clients, keys, tokens, dialects."""
