"""Triggers: checks of their settings, and the runs of their occurrences."""
