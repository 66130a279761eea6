"""HTTP interface of the engine."""
