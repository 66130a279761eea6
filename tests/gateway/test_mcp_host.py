"""The home of the library's server."""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from engine.settings import Settings
from gateway import mcp_host
from gateway.mcp_host import McpHost, McpMissing, import_beside


class SlowDisk:
    """A finder on which the package is found late, after its part has been asked for."""

    def find_spec(self, name: str, *_: Any) -> None:
        if name == "slow_package":
            time.sleep(0.1)


async def test_the_server_starts_once_for_many_requests() -> None:
    host = McpHost()

    servers = await asyncio.gather(*(host.server(Settings()) for _ in range(5)))
    await host.close()

    assert len({id(server) for server in servers}) == 1


async def test_a_host_that_was_never_asked_closes() -> None:
    await McpHost().close()


async def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mcp_host, "SERVER", "mcp.is_not_here")

    with pytest.raises(McpMissing):
        await McpHost().server(Settings())


@pytest.mark.A111
async def test_a_package_and_a_part_of_it_are_imported_by_requests_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "slow_package"
    package.mkdir()
    (package / "__init__.py").write_text("from . import part")
    (package / "part.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("sys.meta_path", [SlowDisk(), *sys.meta_path])

    names = ["slow_package", "slow_package.part"]
    modules = await asyncio.gather(*(import_beside(name) for name in names))

    assert [each.__name__ for each in modules] == names
