"""Fast path of small runs."""
