"""`headrace mcp`: workflows as tools, for a client that starts a process."""

import asyncio
from importlib.util import find_spec
from pathlib import Path

import click

from deploy.client.server_access import URL, Access
from deploy.commands import options
from deploy.output.problems import CommandFailed
from deploy.stack.location import find_stack
from engine.process.extras import install_hint


@click.command()
@options.key
@options.data_dir
def mcp(key: str | None, data_dir: Path) -> None:
    """Offer workflows as tools over standard streams.

    This is for a client of the Model Context Protocol, such as a desktop application, that starts
    its servers as processes. The tools are those of the server that HEADRACE_URL names, else of the
    stack of the data directory.
    """
    if find_spec("mcp") is None:
        raise CommandFailed(f"`headrace mcp` needs an extra: {install_hint('mcp')}.")
    url, api_key = _server(Access(data_dir=data_dir, key=key))
    from deploy.client.mcp.bridge import bridge  # takes half a second

    try:
        asyncio.run(bridge(url, api_key))
    except BaseExceptionGroup as group:
        if group.subgroup(BrokenPipeError) is None:
            raise
        raise BrokenPipeError from group  # the client has gone


def _server(access: Access) -> tuple[str, str]:
    remote = access.remote_server()
    if remote is not None:
        return remote
    stack, key = find_stack(access.data_dir), access.local_key()
    if stack.url is None or key is None:
        raise CommandFailed(f"No gateway is known here: set {URL} to its address.")
    return stack.url, key
