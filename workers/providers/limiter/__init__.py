"""Turns of calls at providers: limits on rate and concurrency, and the queue of each provider."""
