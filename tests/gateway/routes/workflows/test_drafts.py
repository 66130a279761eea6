"""Drafts over HTTP: their rate window."""

from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from engine.settings import Settings
from tests.support.gateway.documents import greeting

pytestmark = pytest.mark.usefixtures("young_window")

WRITES = 3
HERE = "/api/workflows/greeting/draft"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    path = tmp_path / "tiers.toml"
    path.write_text(f"[pro]\ndraft_writes_per_minute = {WRITES}\n")
    return replace(settings, tiers_file=str(path))


async def test_writes_beyond_the_window_are_refused_and_saves_are_not(
    client: httpx2.AsyncClient,
) -> None:
    await client.post("/api/workflows", json=greeting())

    answers = [await client.put(HERE, json=greeting()) for _ in range(WRITES + 1)]
    saved = await client.put("/api/workflows/greeting", json=greeting())

    assert [each.status_code for each in answers] == [200] * WRITES + [429]
    assert answers[-1].json()["limit"] == WRITES
    assert saved.status_code == 200
    assert (await client.get(HERE)).json()["revision"] == WRITES
