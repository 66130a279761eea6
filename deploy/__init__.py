"""Deployment: the `headrace` command and the stack it runs; it alone imports all packages."""
