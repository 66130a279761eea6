"""Feeders: items of batches, and children of executions, begin as room comes."""
