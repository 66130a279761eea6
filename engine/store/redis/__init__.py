"""Redis: connections, clients, scripts, keys and the encoding of records."""
