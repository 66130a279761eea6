"""Run of one example, which a new installation shows once it is ready."""

import asyncio
import json
import shlex
from typing import Any

from deploy.admin.examples import SAMPLE_SLUG
from deploy.net.http_client import Unreachable, call

RECORD = "demo.json"
"""Record of a stack's demonstration, with its key, in the data directory."""
INPUTS = {"name": "Ada"}
RUN_SECONDS = 30
NOT_FOUND = 404


async def show(url: str, key: str, public_url: str = "") -> str:
    """Run the example at a gateway; return its answer and the command that repeats it, as text.

    The command calls `public_url`, if there is one.
    """
    path = f"/api/workflows/{SAMPLE_SLUG}/run"
    try:
        status, answer = await asyncio.to_thread(
            call, "POST", url + path, key=key, body={"inputs": INPUTS}, timeout=RUN_SECONDS
        )
    except Unreachable as error:
        return f"{error}\nkey {key}"
    # An operator who deleted the example does not need it again.
    return (
        f"key {key}" if status == NOT_FOUND else _describe((public_url or url) + path, key, answer)
    )


def _describe(url: str, key: str, answer: Any) -> str:
    result = answer.get("result", answer) if isinstance(answer, dict) else answer
    text = result.get("text") if isinstance(result, dict) else None
    body = json.dumps({"inputs": INPUTS})
    lines = (
        "",
        f"The example '{SAMPLE_SLUG}' answered:",
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
