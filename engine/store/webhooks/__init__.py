"""Webhooks in Redis: one per API key, their deliveries and the reads of these."""
