"""Reads of executions: single ones and lists, hot and archived ones alike."""
