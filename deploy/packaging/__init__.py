"""Packages, images and the installation of tools for them."""
