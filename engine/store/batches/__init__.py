"""Batches: records with queued items, their begin, end and removal."""
