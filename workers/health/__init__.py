"""Answers of a worker to probes."""
