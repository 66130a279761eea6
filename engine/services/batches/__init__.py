"""Batches: checks of their items, their start and retry, and pages of their items."""
