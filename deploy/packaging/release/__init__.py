"""Builder of a release: packages, lists of components, and checksums."""
