"""Values: JSON on edges, types of sockets and fields, templates and expressions."""
