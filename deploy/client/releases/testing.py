"""Tests of a workflow at the terminal: their run by the API, and its outcome."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from deploy.client.api import Answer, Api
from deploy.client.batches.following import follow_counts
from deploy.client.reports import tell
from deploy.output.tables import short_json

PASSED = "passed"
MARKS = {PASSED: "ok", "failed": "FAILED", "error": "ERROR"}
ALL_PASSED, SOME_FAILED = 0, 1
"""Exit codes."""
MAX_SHOWN = 200
"""Most characters of a value in the report."""


class WorkflowTesting:
    """Runs tests of workflows, in the names of the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def run(
        self, slug: str, version: str | None, names: Sequence[str], *, shows: bool
    ) -> Answer:
        """Run tests and wait for the end; an interruption meanwhile cancels them."""
        body: dict[str, Any] = {"names": list(names)} if names else {}
        if version is not None:
            body["version"] = int(version) if version.isdecimal() else version
        path = f"/api/workflows/{quote(slug, safe='')}/tests/run"
        starting = asyncio.ensure_future(self._api.post(path, body))
        try:
            run_id = (await asyncio.shield(starting))["testRunId"]
            return await follow_counts(lambda: self._read(run_id), shows=shows)
        except asyncio.CancelledError:
            run_id = (await starting)["testRunId"]
            await self._api.post(f"{_path(run_id)}/cancel")
            tell(f"Interrupted; the test run {run_id} is cancelled.")
            raise

    async def _read(self, run_id: str) -> Answer:
        run: Answer = await self._api.get(_path(run_id))
        return run


def report_tests(run: Answer, *, as_json: bool) -> int:
    """Print a line for each test, with the reasons of those that did not pass; return the code."""
    if as_json:
        print(json.dumps(run, ensure_ascii=False))
    else:
        for row in run["rows"]:
            print("\n".join(lines_of(row)))
        print(f"\n{summary(run)}")
    return exit_code(run)


def exit_code(run: Answer) -> int:
    """Return 0 if all tests passed, else 1."""
    is_over = run["status"] == "completed"
    is_good = all(row["verdict"] == PASSED for row in run["rows"])
    return ALL_PASSED if is_over and is_good else SOME_FAILED


def summary(run: Answer) -> str:
    """Return the counts of a test run, and its cost."""
    counts = ", ".join(f"{count} {word}" for word, count in run["counts"].items() if count)
    tested = "the draft" if run["workflowVersion"] is None else f"version {run['workflowVersion']}"
    cost = f"{run['creditsCost']} credits"
    return f"{run['workflowSlug']}, {tested}: {counts or 'no tests'}, {cost} ({run['testRunId']})"


def lines_of(row: Answer) -> list[str]:
    """Return the lines of a test in the report."""
    duration = "" if row["durationMs"] is None else f" ({row['durationMs']} ms)"
    mark = MARKS.get(row["verdict"] or "", "PENDING")
    return [f"{mark:8}{row['name']}{duration}", *(f"        {line}" for line in reasons_of(row))]


def reasons_of(row: Answer) -> Iterator[str]:
    """Yield the reasons for which a test did not pass: expectations with the values they saw."""
    unmet = [each for each in row["expectations"] if not each["met"]]
    for each in unmet:
        yield each["expression"]
        if each["reason"]:
            yield f"  {each['reason']}"
        for path, value in each["values"].items():
            yield f"  {path} = {short_json(value, MAX_SHOWN)}"
    if row["error"] and not unmet:
        error = row["error"]
        yield f"{error.get('code')}: {error.get('message')}"


def _path(run_id: str) -> str:
    return f"/api/test-runs/{quote(run_id, safe='')}"
