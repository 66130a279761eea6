"""Replays: earlier executions run again on recorded outcomes, and both are compared."""
