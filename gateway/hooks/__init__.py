"""Inbound webhooks: verification of their events, and the values that expressions see of them."""
