"""Aliases of workflows and their canaries in the store."""
