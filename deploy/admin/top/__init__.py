"""`headrace top`: the installation at a glance, read from the store and drawn in a terminal."""
