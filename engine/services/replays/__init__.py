"""Replays: recorded outcomes of earlier executions, and runs that take them."""
