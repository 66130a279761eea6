"""Backups of whole installations, and their restoring."""
