"""Walks of executions: claim, run, record, and publish progress, from a hint to the end."""
