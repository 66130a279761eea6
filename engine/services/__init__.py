"""Use cases over the store that the gateway, the workers and the commands share."""
