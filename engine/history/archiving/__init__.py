"""Archiving of ended executions, deliveries and entries: their rows, and their writes."""
