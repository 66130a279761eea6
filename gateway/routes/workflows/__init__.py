"""Workflows, their versions, drafts and descriptions."""
