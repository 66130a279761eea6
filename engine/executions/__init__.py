"""Executions: statuses, transitions, events and retries; no input or output."""
