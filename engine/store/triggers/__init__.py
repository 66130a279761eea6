"""Triggers and their occurrences in Redis."""
