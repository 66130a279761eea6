"""`headrace approval`: questions of runs that wait for a person, and answers to them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click

from deploy.client.api import Answer
from deploy.client.approvals import ApprovalCaller
from deploy.client.selection import open_api
from deploy.client.server_access import Access
from deploy.commands import options
from deploy.commands.access_option import access
from deploy.output.tables import show

COLUMNS = ("executionId", "nodeId", "workflowSlug", "title", "since", "until")
ANSWER_COLUMNS = ("decision", "at", "by", "note")
T = TypeVar("T")

execution_id = click.argument("execution_id", metavar="EXECUTION")
node_id = click.argument("node_id", metavar="NODE")
fields = click.option(
    *("-i", "--input", "words"),
    multiple=True,
    metavar="NAME=VALUE",
    help="A value of the form; NAME:=JSON takes it as JSON.  May be repeated.",
)
note = click.option("--note", metavar="TEXT", help="A note for readers of the run.")


@click.group()
def approval() -> None:
    """List approvals that wait for an answer, and answer them."""


@approval.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@access
@options.as_json
def list_(limit: int, access: Access, as_json: bool) -> None:
    """List approvals that wait, newest first; with --json also message, form and link."""
    rows = _with_approvals(access, lambda caller: caller.approvals(limit))
    show(rows, as_json=as_json, columns=COLUMNS)


def answering(command: Callable[..., None]) -> Callable[..., None]:
    """Add the arguments and options of an answer to a command."""
    for add in reversed((execution_id, node_id, fields, note, access, options.as_json)):
        command = add(command)
    return command


@approval.command()
@answering
def approve(**given: Any) -> None:
    """Approve the question of NODE of EXECUTION: the run goes on."""
    _answer("approve", **given)


@approval.command()
@answering
def refuse(**given: Any) -> None:
    """Refuse the question of NODE of EXECUTION: the run takes its other way."""
    _answer("refuse", **given)


def _answer(
    decision: str,
    *,
    execution_id: str,
    node_id: str,
    words: tuple[str, ...],
    note: str | None,
    access: Access,
    as_json: bool,
) -> None:
    async def work(caller: ApprovalCaller) -> Answer:
        return await caller.answer(execution_id, node_id, decision, words, note)

    given = _with_approvals(access, work)
    by = " ".join(filter(None, (given["by"]["kind"], given["by"].get("id"))))
    show(given if as_json else {**given, "by": by}, as_json=as_json, columns=ANSWER_COLUMNS)


def _with_approvals(access: Access, work: Callable[[ApprovalCaller], Awaitable[T]]) -> T:
    async def call() -> T:
        async with open_api(access) as api:
            return await work(ApprovalCaller(api))

    return asyncio.run(call())
