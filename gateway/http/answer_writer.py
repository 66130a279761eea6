"""Writer of the answers of one connection: a head and the body that follows are sent together."""

import asyncio

HEAD = b"HTTP/"
"""The beginning of every head."""
JOINED_BYTES = 65_536
"""Bodies over this size are sent by themselves, since joining copies them."""


class AnswerWriter(asyncio.Transport):
    """Transport for the answers of a connection.

    uvicorn writes a head and a body one after the other; each write is a system call, a packet, and
    a time that the client wakes up. A head is kept until the next write, but only until the event
    loop goes on: that of a stream whose first event is not there yet is not delayed.
    """

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._head = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send the bytes, with the kept head before them."""
        if self._head and len(data) <= JOINED_BYTES:
            head, self._head = self._head, b""
            self._transport.write(head + data)
        elif self._head or data[: len(HEAD)] != HEAD:
            self.flush()
            self._transport.write(data)
        else:
            self._head = bytes(data)
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send the kept head, if any."""
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)

    def close(self) -> None:
        """Close the connection once all is sent."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """Return whether the connection is closed or about to be."""
        return self._transport.is_closing()
