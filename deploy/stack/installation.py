"""Initialization of an installation: its data directory, and the marker in its Redis."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from deploy.output.problems import CommandFailed, WrongRedis
from deploy.stack.location import find_stack, open_data_dir, read_private
from deploy.stack.new_installation import RECORD, plan, planned_partitions
from deploy.stack.secret_key import find_key
from engine.access.sealing import Sealer
from engine.errors import WrongStore
from engine.settings import load
from engine.store.redis.address import RedisAddress
from engine.store.redis.installation import Marker, MarkOutcome, mark
from engine.values.plain import moment

PLANNED = "planned"
SENTENCES = {
    MarkOutcome.BEGUN: "The Redis is marked as this installation's, which is empty.",
    MarkOutcome.KEPT: "The Redis has this installation's marker already.",
    MarkOutcome.ADOPTED: "The Redis had another key's marker and has this installation's now. "
    "Secrets that were sealed with the other key cannot be read: their owners must set new ones.",
    PLANNED: "No stack runs here: the next `headrace up` on this data directory marks its Redis.",
}
"""Sentence for people, by outcome."""


async def mark_if_new(data_dir: Path, redis_url: str, secret_key: str) -> None:
    """Mark the Redis of a new data directory. Raises WrongRedis or Unavailable."""
    record = read_private(data_dir / RECORD)
    if record.get("isMarked") is not False:
        return
    try:
        await mark(
            redis_address(redis_url),
            Sealer.from_secret_key(secret_key),
            adopts=record.get("adopts") is True,
            partition_count=planned_partitions(data_dir),
        )
    except WrongStore as error:
        raise WrongRedis(error.seen, error.fix) from error


def begin(data_dir: Path, *, adopts: bool, partition_count: int | None = None) -> dict[str, Any]:
    """Mark the Redis of a stack, or leave that to the next `headrace up` when none runs.

    With a number of partitions, a data directory that is missing is created for that start.
    """
    sealer = Sealer.from_secret_key(find_key(data_dir))
    try:
        stack = find_stack(data_dir)
    except CommandFailed:
        if partition_count is not None:
            open_data_dir(data_dir)
        elif not data_dir.is_dir():
            raise
        planned = plan(data_dir, adopts=adopts, partition_count=partition_count)
        return {"outcome": PLANNED, "partitions": planned}
    outcome, marker = asyncio.run(
        mark(
            redis_address(stack.redis_url, stack.settings),
            sealer,
            adopts=adopts,
            partition_count=partition_count,
        )
    )
    return _row(outcome, marker)


def _row(outcome: MarkOutcome, marker: Marker) -> dict[str, Any]:
    return {
        "outcome": outcome.value,
        "id": marker.ids[0],
        "schemaVersion": marker.schema,
        "partitions": marker.partitions,
        "createdAt": moment(marker.created_at),
    }


def redis_address(redis_url: str, shared: Mapping[str, str] | None = None) -> RedisAddress:
    """Return the address with the files for TLS that the environment names, else `shared`."""
    settings = load({**(shared or {}), **os.environ})
    return RedisAddress.of_state(replace(settings, redis_url=redis_url))
