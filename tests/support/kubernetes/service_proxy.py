"""A Service as a program: connections to its ports go to the ready pods in turn.

`service_proxy.py FILE` reads `{"ports": {"8000": 8000}, "pods": ["10.1.2.3"]}`, anew for each
connection. Open connections stay with their pod, as they do with the rules of kube-proxy.
"""

import asyncio
import itertools
import json
import sys
from pathlib import Path

TURNS = itertools.count()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes until the reader's side closes, then close the writer's."""
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.close()


async def serve(file: Path) -> None:
    """Listen on all ports."""
    ports = json.loads(file.read_text())["ports"]

    async def connect(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: int
    ) -> None:
        pods = json.loads(file.read_text())["pods"]
        try:
            address = pods[next(TURNS) % len(pods)]
            to_reader, to_writer = await asyncio.open_connection(address, target)
        except (OSError, ZeroDivisionError):
            writer.transport.abort()
            return
        await asyncio.gather(copy(reader, to_writer), copy(to_reader, writer))
        for each in (writer, to_writer):
            each.close()

    for port, target in ports.items():
        await asyncio.start_server(
            lambda reader, writer, target=target: connect(reader, writer, target),
            "0.0.0.0",
            int(port),
            backlog=1_024,
        )
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
