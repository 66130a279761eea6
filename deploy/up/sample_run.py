"""Run of one example, which `headrace up` shows once it is ready."""

import asyncio
import json
import shlex
from typing import Any

from deploy.http_client import Unreachable, call
from deploy.stack.location import Stack, read_private

RECORD = "demo.json"
SLUG = "greeting-letter"
INPUTS = {"name": "Ada"}
RUN_SECONDS = 30
NOT_FOUND = 404


async def show(stack: Stack) -> str:
    """Run the example; return its answer and the command that repeats it, as text."""
    key = read_private(stack.data_dir / RECORD).get("key")
    if key is None:
        return ""
    url = f"{stack.url}/api/workflows/{SLUG}/run"
    try:
        status, answer = await asyncio.to_thread(
            call, "POST", url, key=key, body={"inputs": INPUTS}, timeout=RUN_SECONDS
        )
    except Unreachable as error:
        return str(error)
    # An operator who deleted the example does not need it again.
    return f"key {key}" if status == NOT_FOUND else _describe(url, key, answer)


def _describe(url: str, key: str, answer: Any) -> str:
    result = answer.get("result", answer) if isinstance(answer, dict) else answer
    text = result.get("text") if isinstance(result, dict) else None
    body = json.dumps({"inputs": INPUTS})
    lines = (
        "",
        f"The example '{SLUG}' answered:",
        "",
        text or json.dumps(result, indent=2, ensure_ascii=False),
        "",
        "Run it yourself:",
        "",
        f"curl -s {url} -H 'x-api-key: {key}' "
        f"-H 'content-type: application/json' -d {shlex.quote(body)}",
        "",
    )
    return "\n".join(lines)
