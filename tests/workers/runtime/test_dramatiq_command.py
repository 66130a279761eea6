"""Dramatiq's own command, which does not start workers."""

import asyncio
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


async def test_dramatiqs_command_says_which_command_starts_workers() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dramatiq", "workers.main", "-p", "1"),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    text, _ = await process.communicate()

    assert process.returncode != 0
    assert "run `headrace worker`" in text.decode()
