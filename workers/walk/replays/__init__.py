"""Nodes of replays, which take recorded outcomes in place of calls."""
