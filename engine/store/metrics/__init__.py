"""Snapshots of the metrics of all processes."""
