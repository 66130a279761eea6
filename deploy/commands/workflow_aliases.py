"""`headrace workflow alias`: names of versions, and canaries that take themselves back."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click

from deploy.client.api import Answer
from deploy.client.releases.aliases import AliasCaller, CanaryRule
from deploy.client.selection import open_api
from deploy.client.server_access import Access
from deploy.commands import options
from deploy.commands.access_option import access
from deploy.output.problems import ApiRefused, CommandFailed
from deploy.output.tables import show

COLUMNS = ("name", "version", "canary", "updatedAt")
HISTORY = ("at", "by", "change", "reason")
COUNTS = ("side", "runs", "failed", "errorRate", "p50Ms", "p95Ms")
T = TypeVar("T")

slug_argument = click.argument("slug")
name_argument = click.argument("name")


@click.group()
def alias() -> None:
    """Name versions of a workflow for callers, and try a version on a share of the runs."""


def rule_options(percent: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the options of a canary's rule; `percent` names the one of its share."""
    own = (
        click.option(
            percent, "percent", type=click.IntRange(1, 99), metavar="P", help="Its share of runs."
        ),
        click.option(
            "--min-runs", type=click.IntRange(1), help="Runs before it is judged.  [default: 50]"
        ),
        click.option(
            "--max-error-rate",
            type=click.FloatRange(0, 1),
            help="Take it back above this share of failed runs, 0 to 1.",
        ),
        click.option(
            "--max-p95-ms", type=click.IntRange(1), help="Take it back above this p95 of its runs."
        ),
    )

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(own):
            command = option(command)
        return command

    return add


def rule_of(
    percent: int | None,
    min_runs: int | None,
    max_error_rate: float | None,
    max_p95_ms: int | None,
    *,
    option: str,
) -> CanaryRule | None:
    """Return the rule of these options, None without any; `option` names the one of the share."""
    if percent is not None:
        return CanaryRule(
            percent=percent,
            min_runs=min_runs,
            max_error_rate=max_error_rate,
            max_p95_ms=max_p95_ms,
        )
    if any(each is not None for each in (min_runs, max_error_rate, max_p95_ms)):
        raise click.UsageError(f"The rule of a canary needs {option}.")
    return None


@alias.command("list")
@slug_argument
@access
@options.as_json
def list_(slug: str, access: Access, as_json: bool) -> None:
    """List the aliases of the workflow SLUG."""
    rows = _with_aliases(access, slug, lambda caller: caller.aliases())
    show(rows if as_json else [_shown(each) for each in rows], as_json=as_json, columns=COLUMNS)


@alias.command("set")
@slug_argument
@name_argument
@click.argument("version", type=click.IntRange(1))
@access
@options.as_json
def set_(slug: str, name: str, version: int, access: Access, as_json: bool) -> None:
    """Let the alias NAME stand for VERSION; a canary of it ends.

    The version of `live` is set by publishing alone: naming the live version ends its canary.
    """
    _show_one(
        _with_aliases(access, slug, lambda caller: caller.set(name, {"version": version})),
        as_json=as_json,
    )


@alias.command()
@slug_argument
@name_argument
@click.argument("version", required=False, type=click.IntRange(1))
@rule_options("--percent")
@click.option("--end", is_flag=True, help="Take the canary back; the alias keeps its version.")
@access
@options.as_json
def canary(
    slug: str,
    name: str,
    version: int | None,
    end: bool,
    access: Access,
    as_json: bool,
    **rule: Any,
) -> None:
    """Give VERSION a share of the runs of NAME, or show the counts of its canary.

    A canary takes itself back once its failed runs or its p95 are above the rule. With --percent
    and no VERSION the canary that is there gets another share and rule; its counts begin anew.
    """
    given = rule_of(**rule, option="--percent")
    if end and (given is not None or version is not None):
        raise click.UsageError("--end takes the canary back: name no VERSION and no --percent.")
    if version is not None and given is None:
        raise click.UsageError("A canary needs its share: --percent.")
    if end or given is not None:
        changed = _with_aliases(
            access, slug, lambda caller: _change_canary(caller, name, version, given)
        )
        _show_one(changed, as_json=as_json)
        return
    counts = _counts(access, slug, name)
    rows = [{"side": side, **counts[side]} for side in ("canary", "live")]
    show(counts if as_json else rows, as_json=as_json, columns=COUNTS)


@alias.command()
@slug_argument
@name_argument
@access
@options.as_json
def promote(slug: str, name: str, access: Access, as_json: bool) -> None:
    """Make the canary of NAME its version; for `live` this publishes it."""
    _show_one(_with_aliases(access, slug, lambda caller: caller.promote(name)), as_json=as_json)


@alias.command()
@slug_argument
@name_argument
@access
def delete(slug: str, name: str, access: Access) -> None:
    """Delete the alias NAME: its callers get 404 VERSION_NOT_FOUND from then on."""
    _with_aliases(access, slug, lambda caller: caller.delete(name))


@alias.command()
@slug_argument
@name_argument
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@access
@options.as_json
def history(slug: str, name: str, limit: int, access: Access, as_json: bool) -> None:
    """List the changes of NAME, newest first, each with its author and its reason."""
    rows = _with_aliases(access, slug, lambda caller: caller.history(name))[:limit]
    shown = rows if as_json else [{**each, "change": _step(each["change"])} for each in rows]
    show(shown, as_json=as_json, columns=HISTORY)


def _counts(access: Access, slug: str, name: str) -> Answer:
    """Return the counts of a canary; without one, the refusal says where its end is told."""
    try:
        return _with_aliases(access, slug, lambda caller: caller.canary(name))
    except ApiRefused as refusal:
        if refusal.code != "NO_CANARY":
            raise
        history = f"headrace workflow alias history {slug} {name}"
        raise CommandFailed(f"{refusal}; its changes: {history}") from None


async def _change_canary(
    caller: AliasCaller, name: str, version: int | None, rule: CanaryRule | None
) -> Answer:
    """Set or change the canary of an alias, or end it without a rule."""
    found = await caller.get(name)
    body: dict[str, Any] = {"version": found["version"]}
    if rule is None:
        return await caller.set(name, body)
    if version is None:
        if found["canary"] is None:
            raise click.UsageError(f"'{name}' has no canary: name the VERSION of a new one.")
        version = found["canary"]["version"]
    return await caller.set(name, {**body, "canary": {"version": version, **rule.members()}})


def _show_one(alias: Answer, *, as_json: bool) -> None:
    show(alias if as_json else _shown(alias), as_json=as_json, columns=COLUMNS)


def _shown(alias: Answer) -> Answer:
    """Return an alias as a row of a table."""
    return {**alias, "canary": _canary(alias["canary"])}


def _canary(canary: Answer | None) -> str | None:
    """Return the words for a canary: its version, its share and its rule."""
    if canary is None:
        return None
    words = [f"version {canary['version']} at {canary['percent']} %"]
    if canary.get("maxErrorRate") is not None:
        words.append(f"errors up to {canary['maxErrorRate'] * 100:g} %")
    if canary.get("maxP95Ms") is not None:
        words.append(f"p95 up to {canary['maxP95Ms']} ms")
    return ", ".join(words)


def _step(change: Any) -> str:
    """Return the words for a change of an alias."""
    if not isinstance(change, dict):
        return str(change)
    return f"{_state(change.get('from'))} → {_state(change.get('to'))}"


def _state(state: Any) -> str:
    if not isinstance(state, dict):
        return "none"
    canary = state.get("canary")
    version = f"version {state['version']}" if state.get("version") is not None else "none"
    if canary is None:
        return version
    number = canary["version"] if isinstance(canary, dict) else json.dumps(canary)
    return f"{version} with canary {number}"


def _with_aliases(access: Access, slug: str, work: Callable[[AliasCaller], Awaitable[T]]) -> T:
    async def call() -> T:
        async with open_api(access) as api:
            return await work(AliasCaller(api, slug))

    return asyncio.run(call())
