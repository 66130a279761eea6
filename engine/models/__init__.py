"""The model registry: which models there are, what each takes, and what it costs."""
