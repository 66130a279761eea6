"""The example on the page about own actors."""

import asyncio
import os
import sys
from pathlib import Path

from tests.support.eventually import eventually
from tests.support.workers.worker_process import worker_processes

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "operate" / "own-actors.md").read_text()
BLOCKS = [
    "\n".join(line.removeprefix("   ") for line in block.split("```")[0].splitlines())
    for block in PAGE.split("```python\n")[1:]
]


async def run(*command: str, **environ: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command),
        env={**os.environ, **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    text, _ = await process.communicate()
    return process.returncode, text.decode()


async def test_the_example_of_the_page_runs(redis_url: str, tmp_path: Path) -> None:
    module, sender = BLOCKS
    (tmp_path / "reports.py").write_text(module)
    report = tmp_path / "written"
    environ = {"PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}

    async with worker_processes(redis_url, 1, HEADRACE_ACTORS="reports", **environ):
        sent = sender.replace("report.txt", str(report))
        assert await run("-c", sent, HEADRACE_REDIS_URL=redis_url, **environ) == (0, "")

        async def written() -> str:
            return report.read_text() if report.exists() else ""

        assert await eventually(written, timeout=40) == "one\ntwo"
