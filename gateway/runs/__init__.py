"""The run use case, shared by workflows and models."""
