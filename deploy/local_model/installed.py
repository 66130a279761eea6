"""Whether what runs a model here is installed."""

from importlib.util import find_spec

from engine.process.extras import install_hint

RUNTIME = "xllamacpp"
INSTALL = install_hint("local", "local-model")


def is_installed() -> bool:
    """Whether the runtime is there; it is not loaded."""
    return find_spec(RUNTIME) is not None
