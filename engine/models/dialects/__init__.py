"""Parsers of the sections of manifests that define calls, one module for each dialect."""
