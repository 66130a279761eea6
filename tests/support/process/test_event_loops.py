"""The loop of the tests closes open handles."""

import asyncio
import os
import signal
import warnings

import pytest

from tests.support.process.event_loops import Loop


def test_a_loop_with_a_living_child_closes_and_says_so() -> None:
    loop = Loop()
    child = loop.run_until_complete(_start_child(loop))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ResourceWarning, match="unclosed resource"):
            loop.close()

    assert loop.is_closed()
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


async def _start_child(loop: asyncio.AbstractEventLoop) -> int:
    transport, _ = await loop.subprocess_exec(
        asyncio.SubprocessProtocol, "sleep", "600", stdin=None, stdout=None, stderr=None
    )
    pid = transport.get_pid()
    assert pid is not None
    return pid
