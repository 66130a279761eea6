"""Watching of requests: their spans."""
