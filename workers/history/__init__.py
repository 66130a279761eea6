"""The archiver: one process of the installation that moves to the history what has ended."""
