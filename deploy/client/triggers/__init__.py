"""Triggers of an account: their settings at a terminal, and the calls of the API."""
