"""Triggers of accounts: schedules, inbound webhooks, and their occurrences."""
