"""Protocols of model providers, over the same jobs and made-up contents."""
