"""The Dramatiq runtime: the broker of hints, operators' own actors, and persistent calls."""
