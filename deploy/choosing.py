"""Which caller a run from the terminal gets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from deploy.callers import Caller, HttpCaller
from deploy.http_client import Unreachable, call
from deploy.problems import CommandFailed
from deploy.stack import Stack, find_stack, read_private


@asynccontextmanager
async def open_caller(
    data_dir: Path, *, key: str | None, account_id: str | None, slug: str
) -> AsyncIterator[Caller]:
    """The API where it answers and there is a key, else the store; the demo's key by default."""
    stack = find_stack(data_dir)
    if key is None and account_id is None:
        key = _demo_key(data_dir)
    if key is not None and stack.url is not None and await _is_up(stack):
        yield HttpCaller(stack.url, key)
        return
    from deploy.store_caller import open_store_caller

    async with open_store_caller(stack, key=key, account_id=account_id, slug=slug) as caller:
        yield caller


def _demo_key(data_dir: Path) -> str:
    key = read_private(data_dir / "demo.json").get("key")
    if not isinstance(key, str):
        raise CommandFailed(
            "There is no demo account here: name a --key or an --account, or set HEADRACE_API_KEY."
        )
    return key


async def _is_up(stack: Stack) -> bool:
    try:
        status, _ = await asyncio.to_thread(call, "GET", f"{stack.url}/healthz", timeout=2)
    except Unreachable:
        return False
    return status < 500
