"""Work on the store in a process of its own, whose memory is free again when it is done.

The modules of the store take 40 MB; `headrace up` needs them for moments and runs for months.
"""

import asyncio
import json
import sys
from typing import Any

from deploy.output.problems import CommandFailed

TASKS = "deploy.up.tasks"


async def run_task(name: str, **values: Any) -> dict[str, Any]:
    """Run the task of a module of this folder; return its result. Raises CommandFailed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", TASKS, name),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for `headrace up`
    )
    try:
        output, _ = await process.communicate(json.dumps(values).encode())
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise CommandFailed(f"The task '{name}' ended with {process.returncode}.")
    result: dict[str, Any] = json.loads(output)
    if "failure" in result:
        raise CommandFailed(result["failure"])
    return result
