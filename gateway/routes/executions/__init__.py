"""Executions, their values, and their cancellation."""
