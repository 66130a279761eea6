"""What a dialect is: one way to call models, and what comes of a call."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from engine.models.calls import Call
from engine.models.manifest import Model
from engine.models.pricing import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model gave, and what that used."""

    value: Any
    usage: Usage


class Dialect(Protocol):
    """Calls the models whose manifests have a section of its kind."""

    call: type[Call]

    async def answer(self, model: Model, values: Mapping[str, Any]) -> Answer:
        """One call. Raises NodeFailed."""
        ...
