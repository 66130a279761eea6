"""Attempts at agents, which begin children round after round."""
