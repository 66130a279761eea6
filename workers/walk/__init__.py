"""Walks of executions, from a hint to the end: what is claimed, run, recorded and told."""
