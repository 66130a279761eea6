"""Walks beside and after others: changed records, checkpoints of calls, and early ends."""
