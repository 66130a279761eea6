"""Drivers, which do the steps of flows over httpx, and what they share."""
