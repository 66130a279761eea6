"""Digest of what a plan means to records: the order of its nodes, and what each of them does.

An execution has the digest of the plan that it was accepted with. A worker of another release that
compiles another plan of the same document sees by it that indices of the record are not its own.

The digest itself may never change: after a release with another one, no execution on record would
fit any worker.
"""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from engine.graph.plan import Node, NodeName, Plan
from engine.nodes import node_type

DIGEST = "engine.graph.plan_digest"
"""Key of the digest in `Plan.derived`."""
PLAN_SEMANTICS = 1
"""Version of the rules by which a document becomes a plan and a plan is walked.

A release raises it when an execution that an earlier one has begun must not be continued by it.
"""
DIGEST_BYTES = 6
FIELD = "plan"
"""Field of the digest in records of executions."""


def plan_digest(plan: Plan) -> str:
    """Return the digest of a plan: 8 characters, equal on all machines and Pythons.

    Models and their manifests are no part of it, since they change without a release.
    """
    if DIGEST not in plan.derived:
        nodes = [_describe(node) for node in plan.nodes]
        edges = [
            [(edge.socket, edge.source, edge.output) for edge in node.in_edges]
            for node in plan.nodes
        ]
        ends = [plan.request_input, plan.response_output, plan.result_node]
        plan.derived[DIGEST] = _digest([nodes, edges, ends, sorted(plan.reachable)])
    digest: str = plan.derived[DIGEST]
    return digest


def _describe(node: Node) -> tuple[Any, ...]:
    described = (node.id, node.type.type, node.type.semantics)
    if node.parts:
        return (*described, [(name, plan_digest(part)) for name, part in node.parts.items()])
    return described if node.body is None else (*described, plan_digest(node.body))


def types_digest(names: Iterable[NodeName]) -> str:
    """Return the digest of the types of a plan's nodes alone, in the form of `plan_digest`.

    For plans that depend on models too: of a draft with problems, and of the run of one model.
    """
    return _digest(sorted({(name.type, _semantics(name.type)) for name in names}))


def digest_of(plan: Plan, *, is_of_version: bool) -> str:
    """Return the digest with which an execution is accepted, of a saved version or another."""
    return plan_digest(plan) if is_of_version else types_digest(plan.names)


def is_plan_of(plan: Plan, record: Mapping[str, bytes]) -> bool:
    """Return whether indices of an execution's record are those of a plan made here.

    True for a record of release 0.1.0, which has no digest.
    """
    is_draft = "draft" in record or "draft_of" in record
    is_of_version = not is_draft and bool(record.get("slug"))
    return record.get(FIELD) in (None, digest_of(plan, is_of_version=is_of_version).encode())


def _semantics(name: str) -> int:
    kind = node_type(name)
    return 0 if kind is None else kind.semantics


def _digest(value: Any) -> str:
    data = msgspec.json.encode([PLAN_SEMANTICS, value])
    return urlsafe_b64encode(hashlib.blake2b(data, digest_size=DIGEST_BYTES).digest()).decode()
