"""Options of calls, as keyword arguments of both clients."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, TypedDict

File = str | os.PathLike[str] | bytes | BinaryIO
"""A path, the bytes themselves, or an open binary file."""


class RunWebhook(TypedDict, total=False):
    """Webhook of one run, one batch, or a trigger; a batch has no `events`."""

    url: str
    secret: str
    events: Sequence[str]


class BatchInput(TypedDict, total=False):
    """One item of a batch."""

    inputs: Mapping[str, Any]
    tags: Sequence[str]


class StartOptions(TypedDict, total=False):
    """Options of all that begins a run."""

    model: str
    """Name of a model, which runs in place of a workflow."""
    version: int | str
    """A kept version or an alias of the workflow, in place of the live version."""
    max_credits: int
    """Most credits that the run may cost."""
    tags: Sequence[str]
    """At most 10 texts, by which executions are found again."""
    webhook: RunWebhook
    """Told of the run, in place of the key's webhook."""
    idempotency_key: str
    """A key of the caller's own; by default a new one for each call, kept over its retries."""
    timeout: float | None
    """Seconds that the call may take; by default those of the client. None: any time."""


class WaitOptions(TypedDict, total=False):
    """Options of a wait for something that goes on."""

    timeout: float | None
    """Seconds to wait; by default those of the client. None: any time."""


class BatchOptions(TypedDict, total=False):
    """Options of a batch."""

    version: int | str
    """A kept version, or an alias as it stands at the start."""
    tags: Sequence[str]
    webhook: RunWebhook
    concurrency: int
    """Most items under way at a time, 1 to 100; 20 by default."""
    idempotency_key: str
    timeout: float | None


class RetryOptions(TypedDict, total=False):
    """Options of a retry."""

    max_credits: int
    idempotency_key: str
    timeout: float | None


class Verify(TypedDict, total=False):
    """Verification of the senders of events."""

    kind: str
    """`none`, `bearer`, `hmac`, `github`, `stripe`, `slack` or `standard-webhooks`."""
    secret: str
    """Name of a secret of the account."""
    header: str
    """With `hmac`, as the next two."""
    prefix: str
    encoding: str


class TriggerOptions(TypedDict, total=False):
    """Options of all triggers."""

    version: int | None
    """A kept version in place of the live one."""
    enabled: bool
    max_credits: int | None
    """Most credits that each run may cost."""
    webhook: RunWebhook | None
    """Told of the runs."""


class ScheduleOptions(TriggerOptions, total=False):
    """Options of a schedule."""

    timezone: str
    inputs: Mapping[str, Any]
    overlap: str
    """`allow` or `skip`."""
    missed: str
    """`skip`, `last` or `all`."""


class HookOptions(TriggerOptions, total=False):
    """Options of an inbound webhook. Expressions are CEL."""

    when: str | None
    inputs: Mapping[str, str] | None
    event_id: str | None
    respond: str
    """`accepted` or `result`."""


class TriggerChanges(TriggerOptions, total=False):
    """Changes of a trigger; None takes an optional member away."""

    name: str
    workflow_slug: str
    cron: str
    timezone: str
    inputs: Mapping[str, Any] | None
    overlap: str
    missed: str
    verify: Verify
    when: str | None
    event_id: str | None
    respond: str


class ExecutionFilters(TypedDict, total=False):
    """Executions to list; several tags: those that have all of them."""

    status: str | Sequence[str]
    workflow_slug: str
    tag: str | Sequence[str]
    batch_id: str
    trigger_id: str
    trace_id: str
    source: str
    key_id: str
    model_id: str
    error_code: str
    version: int
    created_from: datetime
    """Created at this time or later."""
    created_to: datetime
    """Created before this time."""
    id_start: str
    parent_id: str
    """With `parent_node_id`: those that this node of this execution began, by their index."""
    parent_node_id: str
    limit: int
    """Rows of a page; the iterator goes over all pages."""
