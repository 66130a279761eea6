"""Changes of aliases and canaries."""
