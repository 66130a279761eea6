"""Limits over all worker processes: calls of providers and outbound calls of accounts."""
