"""Waits of nodes as callers see them, and answers to approvals."""
