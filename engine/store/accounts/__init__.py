"""Accounts in Redis: keys, sessions, wallets, usage and rate limits."""
