"""History: executions that have ended, and money, deliveries and administrative acts, in SQL."""
