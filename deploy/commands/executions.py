"""`headrace execution`: executions of an account, on the local stack or on a server."""

import sys

import click

from deploy.client.api import Answer
from deploy.client.callers import WorkflowCaller
from deploy.client.interruption import Interruption
from deploy.client.reports import failure, readable, report, warn
from deploy.client.selection import with_caller
from deploy.client.server_access import Access
from deploy.client.watching import watch_execution
from deploy.commands import options
from deploy.commands.access_option import access
from deploy.output.tables import printable, show

STATUSES = ("processing", "cancel_requested", "completed", "failed", "cancelled")
COLUMNS = ("executionId", "workflowSlug", "status", "creditsCost", "durationMs", "createdAt")
NODE_COLUMNS = ("id", "type", "status", "attempts", "creditsCost", "durationMs")
ATTEMPT_COLUMNS = ("number", "startedAt", "endedAt", "queuedMs", "worker", "error")
execution_id = click.argument("execution_id", metavar="ID")


@click.group()
def execution() -> None:
    """List, show, cancel, retry and watch runs of workflows."""


@execution.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only those with this status.")
@click.option("--workflow", "slug", metavar="SLUG", help="Only those of this workflow.")
@click.option("--tag", "tags", multiple=True, help="Only those with this tag, or with all of them.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@access
@options.as_json
def list_(
    status: str | None,
    slug: str | None,
    tags: tuple[str, ...],
    limit: int,
    access: Access,
    as_json: bool,
) -> None:
    """List the newest executions of an account, newest first."""
    rows = with_caller(
        access,
        lambda caller: caller.executions(status=status, slug=slug, tags=tags, limit=limit),
    )
    show(rows, as_json=as_json, columns=COLUMNS)


@execution.command("show")
@execution_id
@click.option("--node", "node_id", metavar="NODE", help="Values and attempts of this node instead.")
@access
@options.as_json
def show_(execution_id: str, node_id: str | None, access: Access, as_json: bool) -> None:
    """Show an execution with its inputs and nodes, and its result or why it failed."""
    if node_id is not None:
        _show_node(execution_id, node_id, access, as_json=as_json)
        return
    shown = with_caller(access, lambda caller: caller.execution(execution_id))
    if as_json:
        show(shown, as_json=True, columns=())
        return
    warn(shown)
    show(shown, as_json=False, columns=COLUMNS)
    _print_values("inputs", shown["inputs"])
    print()
    show(shown["nodes"], as_json=False, columns=NODE_COLUMNS)
    if shown["status"] == "completed":
        print(f"\n{readable(shown['result'])}")
    elif shown["completedAt"] is not None:
        print(f"\n{printable(failure(shown))}")


def _show_node(execution_id: str, node_id: str, access: Access, *, as_json: bool) -> None:
    values = with_caller(access, lambda caller: caller.node(execution_id, node_id))
    if as_json:
        show(values, as_json=True, columns=())
        return
    attempts = [{**each, "error": (each["error"] or {}).get("code")} for each in values["attempts"]]
    show(attempts, as_json=False, columns=ATTEMPT_COLUMNS)
    print(
        f"\nwaited {values['waitedMs']} ms between attempts, cost {values['creditsCost']} credits"
    )
    if not values["recorded"]:
        print("\nThe workflow does not record the values of this execution.")
        return
    _print_values("inputs", values["inputs"])
    _print_values("outputs", values["outputs"])


def _print_values(title: str, values: Answer | None) -> None:
    print(f"\n{title}")
    if not values:
        print("-")
    for name, value in (values or {}).items():
        print(printable(f"{name}: {readable(value)}"))


@execution.command()
@execution_id
@access
@options.as_json
def cancel(execution_id: str, access: Access, as_json: bool) -> None:
    """Ask for an execution to stop: no further node of it starts."""
    asked = with_caller(access, lambda caller: caller.cancel(execution_id))
    show(asked, as_json=as_json, columns=("executionId", "status"))


@execution.command()
@execution_id
@access
@options.as_json
def retry(execution_id: str, access: Access, as_json: bool) -> None:
    """Run a failed execution again from the nodes that failed; print the new one's id."""
    started = with_caller(access, lambda caller: caller.retry(execution_id))
    show(started, as_json=as_json, columns=("executionId", "status"))


@execution.command()
@execution_id
@access
@options.as_json
def watch(execution_id: str, access: Access, as_json: bool) -> None:
    """Show what happens to an execution until it ends, then what `headrace run` prints of it."""
    interruption = Interruption(access)
    interruption.set_id(execution_id)

    async def work(caller: WorkflowCaller) -> Answer:
        with interruption.reported():
            return await watch_execution(caller, execution_id)

    sys.exit(report(with_caller(access, work), as_json=as_json))
