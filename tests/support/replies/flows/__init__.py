"""Flows of real use, one for each subject."""
