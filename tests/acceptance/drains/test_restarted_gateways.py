"""Callers behind a proxy do not notice that a gateway is replaced."""

from pathlib import Path

import pytest

from tests.support.drains.front import find_caddy
from tests.support.drains.restarts import restart_gateway

RESTARTS = 20
CALLERS = 24
ANSWERS = {"quick 200", "list 200", "async 202", "slow 200", "slow 202"}
"""Kinds of answers; a slow run may be told to go on."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(find_caddy() is None, reason="this needs Debian's package caddy"),
]


@pytest.mark.F27
async def test_no_call_fails_while_one_gateway_of_two_is_restarted(tmp_path: Path) -> None:
    done = await restart_gateway(tmp_path, RESTARTS, CALLERS)

    assert done.answers.failures == []
    assert set(done.answers.counts) <= ANSWERS
    assert max(done.seconds) < 20
