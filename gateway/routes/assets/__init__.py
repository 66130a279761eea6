"""Media of accounts."""
