"""The Dramatiq runtime: the broker of hints and the persistence of results."""
