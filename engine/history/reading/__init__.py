"""Reads of the history for the API and for commands."""
