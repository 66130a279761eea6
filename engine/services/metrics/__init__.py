"""Metrics of all processes: snapshots in the store, their sum, facts of the state, and pages."""
