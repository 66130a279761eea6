"""Identifiers: the formats of slugs, keys, tokens and idempotency keys."""
