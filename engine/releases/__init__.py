"""Aliases of workflows and their canaries: rules without I/O."""
