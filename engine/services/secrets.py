"""Secrets in workflows: checks before a save, and the workflows that use each secret."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.access.secret_hosts import is_sent_to
from engine.errors import DraftNotFound, WorkflowNotFound
from engine.graph.bodies import graph_size, walk_nodes
from engine.graph.parsed import Problem, problem_at
from engine.nodes import node_type
from engine.store import Draft, Secret, Store, Workflow

Nodes = Sequence[Mapping[str, Any]]
LARGE_GRAPH = 200
"""Nodes from which on a graph is searched in a thread."""
READ_AT_ONCE = 16
"""Workflows whose documents are in memory together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUse:
    """Place in a graph that names a secret."""

    path: tuple[str, ...]
    """Ids of the nodes around it, from the outermost one, and its own."""
    field: str
    """Path of the setting."""
    name: str
    host: str | None
    """Host of the URL, None for one that is not valid."""


async def check_secrets(store: Store, account_id: str, nodes: Nodes) -> list[Problem]:
    """Return the problems of nodes that name secrets which the account does not have."""
    uses = await _find_all_uses(nodes)
    if not uses:
        return []
    hosts = await store.secrets.hosts(account_id, {use.name for use in uses})
    faults = ((use, _fault(use, hosts[use.name])) for use in uses)
    return [
        problem_at(use.path, f"{use.field}: {fault}", use.field) for use, fault in faults if fault
    ]


def _fault(use: SecretUse, hosts: Collection[str] | None) -> str | None:
    if hosts is None:
        return f"the account has no secret '{use.name}'"
    if use.host is None or is_sent_to(hosts, use.host):
        return None
    return f"the secret '{use.name}' is not sent to {use.host}, which is none of its hosts"


async def note_secrets(store: Store, saved: Workflow | Draft) -> None:
    """Note that a saved document uses secrets, if it does."""
    if await _find_all_uses(saved.document.nodes):
        await store.secrets.record_use(saved.account_id, saved.slug)


async def list_secrets(store: Store, account_id: str) -> list[tuple[Secret, list[str]]]:
    """Return the secrets by name, each with the slugs of the workflows that use it.

    Reads the documents of workflows that have ever named a secret, a few at a time.
    """
    users: dict[str, list[str]] = defaultdict(list)
    secrets = await store.secrets.list(account_id)
    slugs = await store.secrets.possible_users(account_id) if secrets else ()
    for start in range(0, len(slugs), READ_AT_ONCE):
        some = slugs[start : start + READ_AT_ONCE]
        named = await asyncio.gather(*(_names_in(store, account_id, slug) for slug in some))
        for slug, names in zip(some, named, strict=True):
            for name in names:
                users[name].append(slug)
    return [(secret, users[secret.name]) for secret in secrets]


async def _names_in(store: Store, account_id: str, slug: str) -> set[str]:
    """Return the names in a workflow's live version and draft; none when it is deleted."""
    try:
        documents = [(await store.workflows.get_own(account_id, slug)).document]
        documents.append((await store.drafts.get(account_id, slug)).document)
    except WorkflowNotFound:
        return set()
    except DraftNotFound:
        pass
    return {use.name for document in documents for use in find_uses(document.nodes)}


async def _find_all_uses(nodes: Nodes) -> list[SecretUse]:
    if graph_size(nodes) < LARGE_GRAPH:
        return list(find_uses(nodes))
    return await asyncio.to_thread(lambda: list(find_uses(nodes)))


def find_uses(nodes: Nodes) -> Iterator[SecretUse]:
    """Yield the uses of secrets in a graph, in bodies and of nodes with other invalid settings."""
    for path, node in walk_nodes(nodes):
        data = node.get("data")
        kind = node_type(str(node.get("type")))
        if kind is not None and isinstance(data, dict):
            for use in kind.secret_uses(data):
                yield SecretUse(path=path, field=use.field, name=use.name, host=use.host)
