"""Lua scripts of `engine/lua`, read once per process."""

import hashlib
import re
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

USES = re.compile(r"^ *-- Uses: (.+)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """Script with its digest, by which Redis knows it."""

    name: str
    text: str
    sha: str


def load() -> dict[str, Script]:
    """Return all scripts by name: the file name without its ending, unique over all folders.

    A script gets the functions of two files of `lua/shared/`, `a.lua` and `b.lua`, at each line
    `-- Uses: a, b`. In a branch they are made only there, since each function costs every call
    that makes it.
    """
    folder = resources.files("engine").joinpath("lua")
    shared = _read(folder.joinpath("shared"))
    texts: dict[str, str] = {}
    for each in folder.iterdir():
        if each.is_dir() and each.name != "shared":
            texts |= _read(each)
    scripts = {}
    for name, text in texts.items():
        whole = _with_shared(text, shared)
        sha = hashlib.sha1(whole.encode(), usedforsecurity=False).hexdigest()
        scripts[name] = Script(name, whole, sha)
    return scripts


def _read(folder: Traversable) -> dict[str, str]:
    """Return the Lua files of a folder and of those in it by name."""
    texts: dict[str, str] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            texts |= _read(entry)
        elif entry.name.endswith(".lua"):
            texts[entry.name.removesuffix(".lua")] = entry.read_text(encoding="utf-8")
    return texts


def _with_shared(text: str, shared: dict[str, str]) -> str:
    return USES.sub(lambda used: "".join(shared[name] for name in used[1].split(", ")), text)


SCRIPTS = load()
