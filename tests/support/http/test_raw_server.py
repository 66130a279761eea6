"""The server of scripted answers takes clients that leave as they are."""

import asyncio

import uvloop

from tests.support.http.raw_server import Stub, serving


def test_an_answer_is_given_up_when_the_connection_has_ended() -> None:
    with asyncio.Runner(loop_factory=uvloop.Loop) as runner:
        runner.run(_end_a_connection_during_its_answer())


async def _end_a_connection_during_its_answer() -> None:
    failures = []
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: failures.append(context["message"])
    )
    held: list[asyncio.StreamWriter] = []

    class Observed(Stub):
        async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            held.append(writer)
            await super().serve(reader, writer)

    async with serving(Observed(reply=[b"x"] * 100, pause=0.01)) as stub:
        reader, writer = await asyncio.open_connection(stub.host, stub.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await reader.read(1) == b"x"
        held[0].transport.abort()
        await asyncio.sleep(0.1)
        writer.close()

    assert failures == []
    assert stub.written < 100
