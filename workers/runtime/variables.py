"""Publication of the names of variables that manifests need and this process has."""

import asyncio
import os
from collections.abc import Callable, Mapping

from engine.models import registry
from engine.models.availability import set_variables

CHECK_SECONDS = 1.0
"""Between checks of the registry, which cost nothing while it has not changed."""


def own_variables(demo_url: str, environ: Mapping[str, str] = os.environ) -> frozenset[str]:
    """Return the names of variables that are set here, as `set_variables` does."""
    return set_variables(registry.all_models(), environ, demo_url)


async def publish_variables(publish: Callable[[frozenset[str]], None], demo_url: str) -> None:
    """Publish the names whenever models have changed, until cancelled."""
    published: int | None = None
    while True:
        generation = registry.generation()
        if generation != published:
            publish(own_variables(demo_url))
            published = generation
        await asyncio.sleep(CHECK_SECONDS)
