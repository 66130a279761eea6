"""Traces: the context that joins a request with its executions, nodes, calls and deliveries."""
