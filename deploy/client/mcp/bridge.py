"""Bridge between standard input and output, and the server at a URL."""

import logging

import httpx2
from mcp.client.streamable_http import streamable_http_client
from mcp.server.stdio import stdio_server

from deploy.client.mcp.answering_transport import CONNECT_TRIES, AnsweringTransport
from deploy.client.mcp.message_relay import MessageRelay
from deploy.client.servers import ANSWER_SECONDS, SILENCE_SECONDS


async def bridge(url: str, key: str) -> None:
    """Offer the tools of the server at the URL over standard input and output.

    It ends with standard input.
    """
    # Failures reach the client as answers; the library would write tracebacks beside them.
    logging.getLogger("mcp").setLevel(logging.CRITICAL)
    transport = AnsweringTransport(httpx2.AsyncHTTPTransport(retries=CONNECT_TRIES))
    timeout = httpx2.Timeout(ANSWER_SECONDS, read=SILENCE_SECONDS)
    headers = {"x-api-key": key}
    async with (
        httpx2.AsyncClient(transport=transport, headers=headers, timeout=timeout) as client,
        # The server is the caller's own: its results have no further bound here.
        streamable_http_client(f"{url}/mcp", http_client=client, max_sse_event_size=None) as server,
        stdio_server() as standard,
    ):
        await MessageRelay(standard, server).run()
