"""Billing: quotes and cost estimates of runs, in credits."""
