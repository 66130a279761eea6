"""Workflows as tools: the server of the Model Context Protocol at `/mcp`."""
