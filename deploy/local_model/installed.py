"""Presence of the local model's runtime."""

from importlib.util import find_spec

from engine.process.extras import install_hint

RUNTIME = "xllamacpp"
INSTALL = install_hint("local", "local-model")


def is_installed() -> bool:
    """Return whether the runtime is installed, without loading it."""
    return find_spec(RUNTIME) is not None
