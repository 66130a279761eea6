"""Executions in Redis: accepted, claimed, advanced, read and listed."""
