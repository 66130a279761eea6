"""Dialects: one module for each section by which manifests describe a call."""
