"""The archiver: one process of the installation that moves ended executions to the history."""
