"""Build of the image, where neither an engine nor a registry of images need be."""
