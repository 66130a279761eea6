"""Workflows in Redis: heads, versions and the directory of slugs."""
