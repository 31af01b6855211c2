"""What the rules would have said over everybody: charts in, decisions and a report out."""
