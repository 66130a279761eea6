"""Support for node types: their base, settings, list mapping and model calls."""
