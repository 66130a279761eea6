"""The run use case, shared by all that can be run."""
