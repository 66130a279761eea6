"""Recovery: the sweeper and its searches for lost executions."""
