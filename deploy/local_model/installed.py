"""Whether what runs a model here is installed."""

from importlib.util import find_spec

RUNTIME = "xllamacpp"
INSTALL = "pip install 'headrace[local,local-model]'"


def is_installed() -> bool:
    """Whether the runtime is there; it is not loaded."""
    return find_spec(RUNTIME) is not None
