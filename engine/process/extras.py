"""Installation hints for the optional extras of the package."""

import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]


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
