"""Accounts, their keys, secrets and sessions, and the caller."""
