"""Bridge for clients of the Model Context Protocol that start a process: stdio to HTTP."""
