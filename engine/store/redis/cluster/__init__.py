"""Client of a Redis Cluster: its topology, the route of each command, one pipeline per primary."""
