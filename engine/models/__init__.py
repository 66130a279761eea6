"""Model registry: manifests, their fields, prices and provider calls."""
