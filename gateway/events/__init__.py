"""Server-sent events: streams that resume, and the events of an account."""
