"""Chunks of texts, and vectors: the pure functions of search by meaning."""
