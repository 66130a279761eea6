"""Outbound HTTP: the client, the address gate and call budgets."""
