"""Running the tests of rules: test files, chart sketches, expectations, verdicts."""
