"""The Dramatiq runtime: brokers of hints and messages, own actors, and retries of the store."""
