"""Webhooks: signatures, delivery schedules and payloads."""
