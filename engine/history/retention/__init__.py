"""Removal of rows whose retention is over, and of erased accounts."""
