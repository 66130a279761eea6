"""Addresses, ports and HTTP calls of commands."""
