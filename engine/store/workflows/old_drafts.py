"""Drafts of installations from before: current versions that were saved though they cannot run."""

import re

from engine.graph.document import Document, from_record
from engine.store.redis import keyspace
from engine.store.redis.client import Client
from engine.store.redis.record_packing import unpack
from engine.store.redis.scripts import SCRIPTS

DOCUMENT = re.compile(r"d([0-9]+)")
"""Field of a version's document."""


async def adopt_draft(client: Client, account_id: str, slug: str, version: int) -> Document | None:
    """Make the draft of a workflow of its current version, and its newest runnable version live.

    Returns the document that is live then, None without one.
    """
    key = keyspace.workflow(account_id, slug)
    matches = (DOCUMENT.fullmatch(name.decode()) for name in await client.send("HKEYS", key))
    older = sorted((int(match[1]) for match in matches if match), reverse=True)
    live, document = "", None
    for number in (each for each in older if each < version):
        record = unpack(await client.send("HGET", key, f"d{number}"))
        if not record["problems"]:
            live, document = str(number), from_record(record["document"])
            break
    names, stored = (
        keyspace.workflow_node_names(account_id, slug),
        keyspace.stored_documents(account_id),
    )
    await client.call(SCRIPTS["adopt_draft"], [key, names, stored], [0, version, live])
    return document
