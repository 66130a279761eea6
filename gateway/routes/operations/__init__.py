"""Operation of the installation."""
