"""Running one node: the executor, the process pool and local work."""
