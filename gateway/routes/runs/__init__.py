"""Begins of executions: runs of workflows, models and drafts, and retries."""
