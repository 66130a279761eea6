"""Triggers: schedules and inbound webhooks that start runs; pure, without I/O."""
