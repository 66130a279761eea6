"""HTTP: protocol, middleware, and types of requests and answers."""
