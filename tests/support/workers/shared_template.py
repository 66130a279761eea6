"""A pool of child processes for workers that run in the tests' process."""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from engine.process import pool
from engine.process.pool_template import PoolTemplate


class SharedTemplate(PoolTemplate):
    """One pool's hold on a template that forks for other pools too."""

    def __init__(self, template: PoolTemplate) -> None:
        self._template = template
        self._watching: asyncio.AbstractEventLoop | None = None
        self._control = template._control.dup()

    @property
    def has_forked(self) -> bool:
        return self._template.has_forked

    @has_forked.setter
    def has_forked(self, value: bool) -> None:
        self._template.has_forked = value

    def close(self) -> None:
        """Leave the template to the others."""
        if self._watching is not None:
            self._watching.remove_reader(self._control)
            self._watching = None
        self._control.close()


class PoolOfSharedTemplate(pool.Pool):
    """A pool whose children are forked from one template per process of the tests.

    To start a template costs as much CPU time as twenty tests. The children are the pool's own.
    """

    _templates: ClassVar[dict[Any, PoolTemplate]] = {}

    async def _spawn(self) -> None:
        if self._template is None:
            self._template = SharedTemplate(_alive(self._memory_bytes, self._preload))
            self._template.watch(self._template_ended)
        await super()._spawn()

    @classmethod
    def close_template(cls) -> None:
        """End the templates, and with them all children that are left."""
        while cls._templates:
            cls._templates.popitem()[1].close()


def _alive(memory_bytes: int, preload: Sequence[str]) -> PoolTemplate:
    """Return the template of such pools, a new one if the last has ended."""
    templates, kind = PoolOfSharedTemplate._templates, (memory_bytes, *preload)
    if kind in templates and templates[kind]._process.poll() is not None:
        templates.pop(kind).close()
    if kind not in templates:
        templates[kind] = PoolTemplate(memory_bytes, preload)
    return templates[kind]
