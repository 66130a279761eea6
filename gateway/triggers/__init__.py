"""Bodies of triggers, and the rights of their callers."""
