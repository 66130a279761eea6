"""Models and their manifests."""
