"""Batches of runs of one workflow: start, read, list, cancel and retry."""
