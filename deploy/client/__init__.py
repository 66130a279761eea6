"""HTTP client of the commands: access to a server, its workflows, reports of executions."""
