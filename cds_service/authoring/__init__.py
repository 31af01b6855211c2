"""What administrators' commands write, compare, look up and mutate."""
