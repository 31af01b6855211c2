"""What a code, a name or a word of a chart stands for: value sets, drugs, lists of words."""
