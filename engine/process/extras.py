"""Optional parts of the installation: the sentence that says how to install one."""

import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]


def install_hint(*extras: str) -> str:
    """The command that adds extras to this installation: to the clone it runs from, or to a wheel.

    Callers read it too, so it names no folder of this machine.
    """
    names = ",".join(extras)
    if (ROOT / "pyproject.toml").is_file():
        return f"{_pip()} install -e '.[{names}]' (in the clone of Headrace)"
    wheel = f"headrace-{metadata.version('headrace')}-py3-none-any.whl"
    return f"pip install './{wheel}[{names}]' (the wheel that Headrace was installed from)"


def _pip() -> str:
    """The pip of this environment, as the clone's folder sees it."""
    environment = Path(sys.prefix)
    if environment.is_relative_to(ROOT):
        return str(environment.relative_to(ROOT) / "bin" / "pip")
    return "pip"
