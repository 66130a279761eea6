"""Replays of earlier executions: start, read, list and cancel."""
