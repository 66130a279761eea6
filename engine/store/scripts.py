"""The Lua scripts, read from `engine/lua` once per process."""

import hashlib
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text and its digest, by which Redis knows it."""

    name: str
    text: str
    sha: str


def load() -> dict[str, Script]:
    """All scripts by name (the file's name without its ending)."""
    scripts = {}
    for entry in resources.files("engine").joinpath("lua").iterdir():
        if entry.name.endswith(".lua"):
            name = entry.name.removesuffix(".lua")
            text = entry.read_text(encoding="utf-8")
            sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            scripts[name] = Script(name, text, sha)
    return scripts


SCRIPTS = load()
