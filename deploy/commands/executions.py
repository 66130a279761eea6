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
CHILD_COLUMNS = ("childIndex", "executionId", "status", "creditsCost", "durationMs", "error")
NODE_COLUMNS = ("id", "type", "status", "attempts", "creditsCost", "durationMs")
STEP_COLUMNS = ("number", "kind", "name", "status", "creditsCost", "durationMs", "error")
ATTEMPT_COLUMNS = ("number", "startedAt", "endedAt", "queuedMs", "worker", "error")
execution_id = click.argument("execution_id", metavar="ID")


@click.group()
def execution() -> None:
    """List, show, cancel, retry and watch runs of workflows."""


@execution.command("list")
@click.option("--status", type=click.Choice(STATUSES), help="Only those with this status.")
@click.option("--workflow", "slug", metavar="SLUG", help="Only those of this workflow.")
@click.option("--tag", "tags", multiple=True, help="Only those with this tag, or with all of them.")
@click.option("--trigger", "trigger_id", metavar="ID", help="Only those that it started.")
@click.option("--parent", metavar="ID", help="The children of this execution; needs --node.")
@click.option("--node", metavar="NODE", help="The node of --parent that began the children.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=20, show_default=True)
@access
@options.as_json
def list_(
    status: str | None,
    slug: str | None,
    tags: tuple[str, ...],
    trigger_id: str | None,
    parent: str | None,
    node: str | None,
    limit: int,
    access: Access,
    as_json: bool,
) -> None:
    """List the newest executions of an account, newest first; or children by their index."""
    if (parent is None) is not (node is None):
        raise click.UsageError("--parent and --node go together.")
    above = None if parent is None or node is None else (parent, node)
    rows = with_caller(
        access,
        lambda caller: caller.executions(
            status=status,
            slug=slug,
            tags=tags,
            parent=above,
            trigger_id=trigger_id,
            limit=limit,
        ),
    )
    show(rows, as_json=as_json, columns=COLUMNS if above is None else CHILD_COLUMNS)


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
    _print_origin(shown)
    _print_values("inputs", shown["inputs"])
    print()
    nodes = [{**node, "children": _children_of(node)} for node in shown["nodes"]]
    has_children = any(node.get("childCount") is not None for node in nodes)
    columns = (*NODE_COLUMNS, "children") if has_children else NODE_COLUMNS
    show(nodes, as_json=False, columns=columns)
    for wait in shown.get("waitingFor", ()):
        print(f"\n{printable(_words_of_wait(wait))}")
    if shown["status"] == "completed":
        print(f"\n{readable(shown['result'])}")
    elif shown["completedAt"] is not None:
        print(f"\n{printable(failure(shown))}")


def _print_origin(shown: Answer) -> None:
    """Print the parent, the trigger, the request and the trace, those that there are."""
    if shown.get("parentId"):
        print(f"\n{_place_of_child(shown)}")
    if shown.get("triggerId"):
        print(f"\nstarted by the trigger {shown['triggerId']}")
    names = {"request": shown.get("httpRequestId"), "trace": shown.get("traceId")}
    if found := [f"{name} {value}" for name, value in names.items() if value]:
        print(f"\n{printable(', '.join(found))}")
    if link := shown.get("traceUrl"):
        print(printable(link))


def _words_of_wait(wait: Answer) -> str:
    """Return a sentence about a node that waits, with its question and its link."""
    node = f"'{wait['nodeId']}'"
    if wait.get("executionId"):
        node += f" of the child {wait['executionId']}"
    if wait["kind"] == "delay":
        return f"{node} waits until {wait['until']}"
    question, link = wait.get("title"), wait.get("url")
    words = f"{node} waits for an answer until {wait['until']}"
    return "\n".join(filter(None, (f"{words}: {question}" if question else words, link)))


def _place_of_child(shown: Answer) -> str:
    """Return a sentence about the parent of a child."""
    place = f"item {shown['childIndex']} of node '{shown['parentNodeId']}'"
    root = "" if shown["rootId"] == shown["parentId"] else f", in the run {shown['rootId']}"
    return printable(f"{place} of {shown['parentId']}{root}")


def _children_of(node: Answer) -> str | None:
    """Return the numbers of a node's children that have ended, such as `37 of 200, 2 failed`."""
    count, statuses = node.get("childCount"), node.get("childStatuses")
    if count is None or statuses is None:
        return None if count is None else str(count)
    failed = f", {statuses['failed']} failed" if statuses["failed"] else ""
    ended = sum(statuses[name] for name in ("completed", "failed", "cancelled"))
    return f"{ended} of {count}{failed}"


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
    if "steps" in values:
        print()
        steps = [{**each, "error": (each["error"] or {}).get("code")} for each in values["steps"]]
        show(steps, as_json=False, columns=STEP_COLUMNS)
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
