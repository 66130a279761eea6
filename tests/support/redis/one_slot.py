"""Check of every script call in a test: its keys share a slot, as a cluster requires."""

from collections.abc import Sequence
from typing import Any

import pytest
from redis.crc import key_slot

from engine.store.redis.script_names import ScriptNames

OURS = ("hr:", "{hr")
"""Beginnings of the product's keys."""


class SeveralSlots(AssertionError):
    """A script call has keys of several slots, which a cluster refuses."""


def check_calls(patch: pytest.MonkeyPatch) -> None:
    """Let calls of scripts raise SeveralSlots while the patch lasts."""
    bind = ScriptNames.bind

    def checked(names: ScriptNames, given: dict[str, Any]) -> Sequence[Any]:
        words = bind(names, given)
        # Tests of single scripts have names of their own, without a tag.
        keys = [str(key) for key in words[1 : 1 + words[0]] if str(key).startswith(OURS)]
        if len({key_slot(key.encode()) for key in keys}) > 1:
            raise SeveralSlots(f"keys of several slots: {', '.join(keys)}")
        return words

    patch.setattr(ScriptNames, "bind", checked)
