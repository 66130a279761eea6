"""The models that the worker itself answers for, without a network."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

from engine.models.calls import Builtin
from engine.models.manifest import Model
from workers.models.base import Answer, CallContext, Dialect


class BuiltinDialect(Dialect):
    """Answers with the values put into the manifest's template, and uses the most it may."""

    call = Builtin

    async def answer(self, model: Model, values: Mapping[str, Any], call: CallContext) -> Answer:
        section = cast(Builtin, model.call)
        await asyncio.sleep(0)  # a long list of calls must not hold up the other executions
        text = section.template.render(values)
        return Answer(value=text, usage=model.most(values))
