"""Answers of providers: values, usage, errors and rate limits."""
