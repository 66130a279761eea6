"""How workers call models: one dialect for each section that a manifest may have."""

from collections.abc import Mapping
from typing import Any

from engine.models.manifest import Model
from workers.models.base import Answer, Dialect
from workers.models.builtin import BuiltinDialect

__all__ = ["DIALECTS", "Answer", "Dialect", "Models"]

DIALECTS: tuple[Dialect, ...] = (BuiltinDialect(),)


class Models:
    """Calls any model of the registry."""

    def __init__(self) -> None:
        self._dialects = {dialect.call: dialect for dialect in DIALECTS}

    async def call(self, model: Model, values: Mapping[str, Any]) -> Answer:
        """One call with checked values. Raises NodeFailed."""
        return await self._dialects[type(model.call)].answer(model, values)
