"""Lua scripts of `engine/lua`, read once per process."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

from engine.store.redis.script_names import ScriptNames, parse_names

USES = re.compile(r"^ *-- Uses: (.+)\n", re.MULTILINE)
SENT_AGAIN = "-- After a lost reply the call is sent again.\n"
"""Line in the headers of scripts whose second call changes nothing and has the first answer."""


@dataclass(frozen=True, slots=True)
class Script:
    """Script with its digest, by which Redis knows it."""

    name: str
    text: str
    names: ScriptNames
    is_sent_again: bool = False
    """Whether a call whose reply was lost is sent again."""
    sha: str = field(init=False)

    def __post_init__(self) -> None:
        sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha", sha)

    def words(self, /, **names: Any) -> Sequence[Any]:
        """Return the words of a call by names: the number of keys, keys and arguments.

        Raises TypeError for a missing or an unknown name.
        """
        return self.names.bind(names)

    def command(self, /, **names: Any) -> Sequence[Any]:
        """Return the command that runs the script by its text, for a client without digests.

        Raises TypeError like `words`.
        """
        return ("EVAL", self.text, *self.words(**names))


def load() -> dict[str, Script]:
    """Return all scripts by name: the file name without its ending, unique over all folders.

    A script gets the functions of two files of `lua/shared/`, `a.lua` and `b.lua`, at each line
    `-- Uses: a, b`. In a branch they are made only there, since each function costs every call
    that makes it.

    Raises ValueError for a name of a key or an argument that the script's header lacks, or that
    nothing uses.
    """
    folder = resources.files("engine").joinpath("lua")
    shared = _read(folder.joinpath("shared"))
    texts: dict[str, str] = {}
    for each in folder.iterdir():
        if each.is_dir() and each.name != "shared":
            texts |= _read(each)
    return {name: _make(name, _with_shared(text, shared)) for name, text in texts.items()}


def _make(name: str, text: str) -> Script:
    try:
        names = parse_names(text)
        return Script(name, names.place(text), names, SENT_AGAIN in text)
    except ValueError as error:
        raise ValueError(f"{name}.lua: {error}") from None


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
    """Return a text with the functions that it uses, directly or through others."""

    def functions(used: re.Match[str]) -> str:
        return "".join(_with_shared(shared[name], shared) for name in used[1].split(", "))

    return USES.sub(functions, text)


SCRIPTS = load()
