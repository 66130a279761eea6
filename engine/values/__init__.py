"""Values: JSON along edges, the types of sockets and fields, templates and expressions."""
