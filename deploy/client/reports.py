"""Report of an execution on the terminal: result, warnings, and the reason of a failure."""

import json
import sys
from collections.abc import Mapping
from typing import Any

from deploy.client.api import Answer
from deploy.output.tables import printable


def report(execution: Answer, *, as_json: bool) -> int:
    """Print the result of an ended execution; return the exit code."""
    completed = execution["status"] == "completed"
    warn(execution)
    if as_json:
        print(json.dumps(_answer(execution), ensure_ascii=False))
    elif completed:
        print(readable(execution["result"]))
    if not completed:
        tell(failure(execution))
    return 0 if completed else 1


def warn(answer: Answer) -> None:
    """Print the warnings of an answer."""
    for warning in answer.get("warnings", ()):
        tell(warning)


def tell(sentence: str) -> None:
    """Print a sentence on standard error."""
    print(f"headrace: {printable(sentence)}", file=sys.stderr)


def readable(result: object) -> str:
    """Return a result for people: a single text unquoted, anything else as JSON."""
    if isinstance(result, str):
        return result
    if isinstance(result, dict) and set(result) == {"text"}:
        return str(result["text"])
    return json.dumps(result, indent=2, ensure_ascii=False)


def failure(execution: Answer) -> str:
    """Return the sentence about an execution that did not complete."""
    subject, error = f"The execution {execution['executionId']}", _error(execution)
    if error is None:
        return f"{subject} was {execution['status']}."
    if "nodeCode" in error:
        return f"{subject} failed at the node '{error['nodeId']}' ({error['nodeCode']}): " + str(
            error["reason"]
        )
    return f"{subject} failed ({error['code']}): {error['message']}"


def words_of_wait(data: Mapping[str, Any]) -> str:
    """Return the words about the wait of a node, by the data of its event."""
    if data["kind"] == "approval":
        return f"waits for an answer until {data['until']}: {data.get('title', '')}"
    return f"waits until {data['until']}"


def _answer(execution: Answer) -> Answer:
    """Return the answer of the run endpoint, with status and error added."""
    return {
        "success": execution["status"] == "completed",
        "result": execution["result"],
        "cost": execution.get("creditsCost"),
        "ms": execution.get("durationMs"),
        "executionId": execution["executionId"],
        "status": execution["status"],
        "error": _error(execution),
        **({"warnings": execution["warnings"]} if "warnings" in execution else {}),
    }


def _error(execution: Answer) -> dict[str, Any] | None:
    """Return the error, with the code and the reason of the node that failed."""
    error: dict[str, Any] | None = execution["error"]
    if error is None:
        return None
    failed = (node for node in execution.get("nodes", ()) if node["id"] == error.get("nodeId"))
    of_node = next((node["error"] for node in failed if node["error"]), None)
    if of_node is None:
        return error
    return error | {"nodeCode": of_node["code"], "reason": of_node["message"]}
