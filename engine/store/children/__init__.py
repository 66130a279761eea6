"""Children of executions: groups, their begin, their results and their end."""
