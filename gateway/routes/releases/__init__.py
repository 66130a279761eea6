"""Routes of aliases and canaries."""
