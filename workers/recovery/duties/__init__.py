"""Duties of the sweeper, one class each."""
