"""Agents that run: their tools, the graphs of their children, and their steps."""
