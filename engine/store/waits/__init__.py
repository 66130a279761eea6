"""Waits of nodes: opened, answered, ended and listed."""
