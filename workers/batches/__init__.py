"""Batches: their items begin as room comes, and their ends are delivered."""
