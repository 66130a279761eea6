"""Releases at the terminal: plans of publications, aliases with canaries, and replays."""
