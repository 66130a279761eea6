"""Replays of recorded runs, by the API, and their outcome for the terminal."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from os.path import commonprefix
from typing import Any
from urllib.parse import quote

from deploy.client.api import Answer, Api
from deploy.client.batches.following import counts_text, follow_counts
from deploy.client.callers import SHORT_PAGE, read_rows
from deploy.client.reports import tell
from deploy.output.problems import ApiRefused, CommandFailed
from deploy.output.tables import short_json, show

SAME, DIFFERENT, FAILED, UNMATCHED = "same", "different", "failed", "unmatched"
ALL_SAME, NOT_COMPARED, DIFFERS = 0, 1, 3
"""Exit codes: a row that failed, is unmatched or was cancelled counts before one that differs."""
COLUMNS = ("executionId", "verdict", "replayExecutionId", "change")
MAX_SHOWN = 60
"""Most characters of a value in the table."""
SHOWN_BEFORE = 12
"""Characters before the first difference, where it is far from the beginning."""
UNMATCHED_HINT = " Unmatched nodes were not called: `--calls live` calls them, and is charged."


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """Options of `headrace workflow replay run`."""

    slug: str
    last: int | None
    execution_ids: Sequence[str]
    against: str
    calls: str

    def body(self) -> dict[str, Any]:
        """Return the body of the call: a number means a version, another word a name."""
        chosen = (
            {"executionIds": list(self.execution_ids)}
            if self.execution_ids
            else {"last": self.last}
        )
        against = int(self.against) if self.against.isdecimal() else self.against
        return {**chosen, "against": against, "calls": self.calls}


class ReplayCaller:
    """Starts replays and reads them, in the names of the API."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def start(self, options: ReplayOptions) -> Answer:
        """Start a replay. Raises CommandFailed, which names executions that cannot be replayed."""
        path = f"/api/workflows/{quote(options.slug, safe='')}/replay"
        try:
            return await self._api.post(path, options.body())
        except ApiRefused as refusal:
            ids = refusal.answer.get("executionIds") if isinstance(refusal.answer, dict) else None
            if not ids:
                raise
            raise CommandFailed(f"{refusal}: {', '.join(map(str, ids))}") from None

    async def replay(self, replay_id: str) -> Answer:
        """Return a replay with all its rows."""
        replay: Answer = await self._api.get(_path(replay_id))
        return replay

    async def replays(self, limit: int) -> list[Answer]:
        """Return the newest replays of the account."""
        return await read_rows(self._api, "/api/replays", limit, page_rows=SHORT_PAGE)

    async def cancel(self, replay_id: str) -> Answer:
        """Cancel the runs that have not ended."""
        return await self._api.post(f"{_path(replay_id)}/cancel")

    async def follow(self, replay_id: str, *, shows: bool) -> Answer:
        """Wait for the end of a replay."""
        return await follow_counts(lambda: self.replay(replay_id), shows=shows)


def report_replay(replay: Answer, *, as_json: bool) -> int:
    """Print the rows of a replay and its outcome; return the exit code."""
    if as_json:
        print(json.dumps(replay, ensure_ascii=False))
    else:
        show([shown_row(each) for each in replay["rows"]], as_json=False, columns=COLUMNS)
        counts = counts_text(replay) or "no rows"
        print(f"\n{replay['replayId']}  {replay['status']}: {counts}")
    code = exit_code(replay)
    if code != ALL_SAME:
        told = "differ" if code == DIFFERS else "could not all be compared"
        hint = UNMATCHED_HINT if replay["counts"][UNMATCHED] else ""
        tell(f"The runs of the replay {replay['replayId']} {told}: {counts_text(replay)}.{hint}")
    return code


def exit_code(replay: Answer) -> int:
    """Return the exit code for a replay; one that goes on has shown no difference yet."""
    counts = replay["counts"]
    if replay["status"] == "processing":
        return ALL_SAME
    if replay["status"] != "completed" or counts[FAILED] or counts[UNMATCHED]:
        return NOT_COMPARED
    return DIFFERS if counts[DIFFERENT] else ALL_SAME


def shown_row(row: Answer) -> Answer:
    """Return a row for the table, with its first change, or the reason of an unmatched node."""
    return {**row, "change": _change(row)}


def _change(row: Answer) -> str | None:
    node, changes = row.get("node"), row["changes"]
    if row["verdict"] == UNMATCHED and node:
        return f"{node['id']}: {node['reason']}"
    if not changes:
        return None
    first, more = changes[0], len(changes) - 1
    before, after = _excerpts(first["before"], first["after"])
    words = f"{first['path']}: {before} → {after}"
    return f"{words} and {more} more" if more else words


def _excerpts(before: Any, after: Any) -> tuple[str, str]:
    """Return a part of each value that shows their first difference."""
    texts = [json.dumps(each, ensure_ascii=False) for each in (before, after)]
    start = len(commonprefix(texts)) - SHOWN_BEFORE
    start = start if start > MAX_SHOWN // 2 else 0
    return short_json(before, MAX_SHOWN, start), short_json(after, MAX_SHOWN, start)


def _path(replay_id: str) -> str:
    return f"/api/replays/{quote(replay_id, safe='')}"
