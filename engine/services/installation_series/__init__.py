"""Samples of the installation's last hour: how they are made, put and read."""
