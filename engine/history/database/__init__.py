"""Databases of the history: their places, connections, identity and dialects."""
