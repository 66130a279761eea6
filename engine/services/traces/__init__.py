"""Spans of ended executions and deliveries, made of their records."""
