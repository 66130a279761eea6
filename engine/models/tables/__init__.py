"""Tables of a manifest: read with all their faults, each with its line."""
