"""Sending of answers, whole or broken as the script says."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace

from starlette.types import Receive, Send

from deploy.stub_provider.exchange import StubAnswer
from deploy.stub_provider.script import CallScript

DRIP_MILLISECONDS = 1000.0
HUGE_BYTES = 64 * 2**20
_SLAB = b"x" * 65_536


class ClientLeft(Exception):
    """The client has disconnected."""


async def pause(receive: Receive, milliseconds: float | None) -> None:
    """Wait, for ever with None. Raises ClientLeft as soon as the client disconnects."""
    try:
        async with asyncio.timeout(None if milliseconds is None else milliseconds / 1000):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return
    raise ClientLeft


async def send_answer(
    answer: StubAnswer, headers: Mapping[str, str], script: CallScript, receive: Receive, send: Send
) -> None:
    """Send the answer. Raises ClientLeft."""
    if script.fault == "hang":
        await pause(receive, None)
    answer = _broken(answer, script.fault)
    gap = script.pace if script.fault != "drip" else script.pace or DRIP_MILLISECONDS
    is_cut = script.fault == "cut"
    await send(_start(answer, headers))
    for number, chunk in enumerate(_chunks(answer, script.fault)):
        if gap and number:
            await pause(receive, gap)
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    if not is_cut:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


def _start(answer: StubAnswer, headers: Mapping[str, str]) -> dict[str, object]:
    all_headers = {"content-type": answer.content_type, **answer.headers, **headers}
    if len(answer.chunks) == 1:
        all_headers["content-length"] = str(len(answer.chunks[0]))
    return {
        "type": "http.response.start",
        "status": answer.status,
        "headers": [(name.encode(), value.encode()) for name, value in all_headers.items()],
    }


def _broken(answer: StubAnswer, fault: str) -> StubAnswer:
    if fault == "garbage":
        return replace(answer, chunks=(b'{"stub": garbage, "choices": [{',))
    if fault == "wrong-type":
        page = b"<!doctype html><title>stub</title><p>(stub) Not what you asked for.</p>"
        return replace(answer, chunks=(page,), content_type="text/html; charset=utf-8")
    if fault == "huge":
        return replace(answer, chunks=())
    if fault == "stream-error" and answer.error_event is not None:
        kept = answer.chunks[: len(answer.chunks) // 2]
        return replace(answer, chunks=(*kept, answer.error_event))
    return answer


def _chunks(answer: StubAnswer, fault: str) -> Iterator[bytes]:
    if fault == "huge":
        yield b'{"stub":"'
        yield from (_SLAB for _ in range(HUGE_BYTES // len(_SLAB)))
        yield b'"}'
    elif fault == "drip":
        whole = b"".join(answer.chunks)
        yield from (whole[at : at + 1] for at in range(len(whole)))
    elif fault == "cut" and len(answer.chunks) == 1:
        yield answer.chunks[0][: len(answer.chunks[0]) // 2]
    elif fault == "cut":
        yield from answer.chunks[: len(answer.chunks) // 2]
    else:
        yield from answer.chunks
