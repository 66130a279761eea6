"""Batches at the terminal: files of items, calls of the API, and files of results."""
