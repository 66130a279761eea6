"""Running a workflow from the terminal: the order, the wait, and what is printed."""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.callers import Answer
from deploy.choosing import open_caller
from deploy.inputs import parse_inputs
from deploy.output import printable
from deploy.watching import follow, watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What `headrace run` was asked for."""

    slug: str
    inputs: tuple[str, ...]
    key: str | None
    account_id: str | None
    in_background: bool
    watch: bool
    as_json: bool


async def run_order(order: Order, data_dir: Path) -> int:
    """Run the workflow; gives the exit code."""
    key = order.key
    if key is None and order.account_id is None:
        key = os.environ.get("HEADRACE_API_KEY")
    caller_of = open_caller(data_dir, key=key, account_id=order.account_id, slug=order.slug)
    async with caller_of as caller:
        types = await caller.field_types(order.slug) if order.inputs else {}
        inputs = parse_inputs(order.inputs, types)
        if order.watch:
            return _report(await watch(caller, order.slug, inputs), as_json=order.as_json)
        started = await caller.start(order.slug, inputs)
        if order.in_background:
            _warn(started)
            print(json.dumps(started) if order.as_json else started["executionId"])
            return 0
        execution = await follow(caller, started["executionId"])
    return _report(execution, as_json=order.as_json)


def _report(execution: Answer, *, as_json: bool) -> int:
    completed = execution["status"] == "completed"
    _warn(execution)
    if as_json:
        print(json.dumps(_answer(execution), ensure_ascii=False))
    elif completed:
        print(_readable(execution["result"]))
    if not completed:
        print(f"headrace: {_failure(execution)}", file=sys.stderr)
    return 0 if completed else 1


def _warn(answer: Answer) -> None:
    for warning in answer.get("warnings", ()):
        print(f"headrace: {printable(warning)}", file=sys.stderr)


def _answer(execution: Answer) -> Answer:
    """What the run endpoint answers, with the status and the error beside it."""
    return {
        "success": execution["status"] == "completed",
        "result": execution["result"],
        "cost": execution["creditsCost"],
        "ms": execution["durationMs"],
        "executionId": execution["executionId"],
        "status": execution["status"],
        "error": execution["error"],
        **({"warnings": execution["warnings"]} if "warnings" in execution else {}),
    }


def _readable(result: object) -> str:
    if isinstance(result, str):
        return result
    if isinstance(result, dict) and set(result) == {"text"}:
        return str(result["text"])
    return json.dumps(result, indent=2, ensure_ascii=False)


def _failure(execution: Answer) -> str:
    error = execution["error"]
    if not error:
        return f"The execution {execution['executionId']} was {execution['status']}."
    return f"The execution {execution['executionId']} failed: {error['message']}"
