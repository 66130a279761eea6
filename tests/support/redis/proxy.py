"""Proxy before Redis that counts, freezes, cuts, and stops at calls of a script.

It knows the scripts of `engine/lua` by their digests, and its clients by their process ids, so that
a test can end a process at an exact point of its work:

    gate = proxy.hold("advance_execution")  # or after="run": Redis has run it
    pid = await gate.reached()
    os.kill(pid, signal.SIGKILL)
    gate.open()
"""

import asyncio
import contextlib
import hashlib
import queue
import re
import socket
import struct
import tempfile
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from engine.store.redis.scripts import SCRIPTS
from tests.support.redis.frames import split_commands, split_replies

NAMES = {script.sha.encode(): script.name for script in SCRIPTS.values()}
RAW = {"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR", "PSYNC", "SYNC"}
"""Commands after which replies no longer follow commands one by one."""
MESSAGE = re.compile(rb"[>*]\d\r\n\$\d+\r\n[sp]?message\r\n")
CREDENTIALS = struct.Struct("3i")

When = Literal["before", "run"]


@dataclass(eq=False)
class Gate:
    """Point at which one call of a script, or of a command, stops until the gate is opened."""

    name: str
    after: When
    passes: int
    """Calls that pass before the one that stops."""
    loop: asyncio.AbstractEventLoop
    pid: int = 0
    """Process whose call has stopped."""
    at: float = 0.0
    """Time of the monotonic clock at which it has stopped."""
    was_reached: threading.Event = field(default_factory=threading.Event)
    is_dropped: bool = False
    _opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def reached(self, timeout: float = 60) -> int:
        """Wait for the call; return its process id. Raises TimeoutError."""
        return await asyncio.to_thread(self.await_reached, timeout)

    def await_reached(self, timeout: float = 60) -> int:
        """Do as `reached` from a thread."""
        if not self.was_reached.wait(timeout):
            raise TimeoutError(f"no call of {self.name} in {timeout} s")
        return self.pid

    def open(self) -> None:
        """Let the call go on, from any thread."""
        self.loop.call_soon_threadsafe(self._opened.set)

    def drop(self) -> None:
        """Close the connection of the call, which Redis then never gets, or whose reply is lost."""
        self.is_dropped = True
        self.open()

    async def stop(self, pid: int) -> bool:
        """Hold the call of this process; return whether it goes on."""
        self.pid = pid
        self.at = time.monotonic()
        self.was_reached.set()
        await self._opened.wait()
        return not self.is_dropped


@dataclass
class Loss:
    """Calls of a script, or of a command, whose connection is closed instead of an answer."""

    name: str
    after: When
    left: int
    passes: int = 0


class RedisProxy:
    """Forwards a Unix socket; its flags and rules may change at any time, in its own loop."""

    def __init__(self, target: str, path: str) -> None:
        self.url = f"unix://{path}"
        self.connections = 0
        self.requests: list[bytes] = []
        """Data sent by clients, one entry per write."""
        self.seen: set[str] = set()
        """Names of all scripts and commands that were sent."""
        self.swallow_replies = False
        """Whether requests reach Redis, but replies are lost and the connection is cut."""
        self.is_frozen = False
        """Whether connections stay open without data, like half-open ones."""
        self.loses_messages = False
        """Whether messages of channels are lost, while commands are answered."""
        self.delay = 0.0
        """Seconds by which each reply is late."""
        self.loop = asyncio.get_running_loop()
        self._gates: list[Gate] = []
        self._losses: list[Loss] = []
        self._target = target.removeprefix("unix://")
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- rules ------------------------------------------------------------------------------------

    def hold(self, name: str, *, after: When = "before", passes: int = 0) -> Gate:
        """Stop one coming call: before Redis gets it, or after Redis has run it."""
        gate = Gate(name, after, passes, self.loop)
        self._gates.append(gate)
        return gate

    def lose(self, name: str, *, after: When = "run", times: int = 1, passes: int = 0) -> Loss:
        """Close the connections of coming calls: Redis has run them, or never gets them."""
        loss = Loss(name, after, times, passes)
        self._losses.append(loss)
        return loss

    def forget(self) -> None:
        """Drop all rules; held calls go on."""
        for gate in self._gates:
            gate.open()
        self._gates.clear()
        self._losses.clear()

    # -- connections ------------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        server_reader, server_writer = await asyncio.open_unix_connection(self._target)
        self._writers |= {writer, server_writer}
        link = _Link(self, _peer(writer))
        for pump in (
            link.forward(reader, server_writer),
            link.answer(server_reader, writer),
        ):
            task = asyncio.ensure_future(pump)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def move(self, redis_url: str) -> None:
        """Direct new connections to another server; open ones stay, as after a move of a name."""
        self._target = redis_url.removeprefix("unix://")

    def cut(self) -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def finish(self) -> None:
        self.forget()
        self.cut()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)

    # -- of one call ------------------------------------------------------------------------------

    def gate_of(self, name: str, after: When) -> Gate | None:
        """Return the gate that stops this call, once."""
        for gate in self._gates:
            if (gate.name, gate.after) == (name, after):
                if gate.passes == 0:
                    self._gates.remove(gate)
                    return gate
                gate.passes -= 1
        return None

    def is_lost(self, name: str, after: When) -> bool:
        """Return whether the connection of this call is closed, and count it."""
        for loss in self._losses:
            if (loss.name, loss.after) == (name, after) and loss.left > 0:
                if loss.passes == 0:
                    loss.left -= 1
                    return True
                loss.passes -= 1
        return False


class _Link:
    """One connection through a proxy."""

    def __init__(self, proxy: RedisProxy, pid: int) -> None:
        self._proxy = proxy
        self._pid = pid
        self._sent: deque[str] = deque()
        """Names of commands without a reply yet."""
        self._is_raw = False

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward requests until the connection ends, or a rule closes it."""
        proxy, rest = self._proxy, b""
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 20):
                if proxy.is_frozen:
                    continue
                proxy.requests.append(data)
                commands, rest = split_commands(rest + data)
                if not await self._send(commands, writer):
                    break
        writer.close()

    async def _send(
        self, commands: list[tuple[list[bytes], bytes]], writer: asyncio.StreamWriter
    ) -> bool:
        """Send whole commands; return False when a rule closes the connection."""
        proxy = self._proxy
        for words, raw in commands:
            name = _name(words)
            proxy.seen.add(name)
            if (gate := proxy.gate_of(name, "before")) and not await gate.stop(self._pid):
                return False
            if proxy.is_lost(name, "before"):
                return False
            self._is_raw = self._is_raw or name in RAW
            self._sent.append(name)
            writer.write(raw)
        return True

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward replies until the connection ends, or a rule closes it."""
        proxy, rest = self._proxy, b""
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 20):
                if proxy.swallow_replies:
                    break
                if proxy.is_frozen:
                    continue
                if proxy.delay:
                    await asyncio.sleep(proxy.delay)
                if self._is_raw:
                    rest = self._pass_raw(rest + data, writer)
                    continue
                replies, rest = split_replies(rest + data)
                if not await self._give(replies, writer):
                    break
        writer.close()

    def _pass_raw(self, data: bytes, writer: asyncio.StreamWriter) -> bytes:
        """Forward pushed data, without lost messages; return the part of one that is incomplete."""
        if not self._proxy.loses_messages:
            writer.write(data)
            return b""
        replies, rest = split_replies(data)
        writer.write(b"".join(each for each in replies if not MESSAGE.match(each)))
        return rest

    async def _give(self, replies: list[bytes], writer: asyncio.StreamWriter) -> bool:
        """Give whole replies; return False when a rule closes the connection."""
        for reply in replies:
            if not reply.startswith(b">") and self._sent:
                name = self._sent.popleft()
                if not reply.startswith(b"-NOSCRIPT"):
                    gate = self._proxy.gate_of(name, "run")
                    if gate and not await gate.stop(self._pid):
                        return False
                    if self._proxy.is_lost(name, "run"):
                        return False
            writer.write(reply)
        return True


def _name(words: list[bytes]) -> str:
    command = words[0].upper().decode(errors="replace")
    if command == "EVALSHA":
        return NAMES.get(words[1].lower(), command)
    if command == "EVAL":
        digest = hashlib.sha1(words[1], usedforsecurity=False).hexdigest()
        return NAMES.get(digest.encode(), command)
    return command


def _peer(writer: asyncio.StreamWriter) -> int:
    """Return the process id of the other end of a Unix socket."""
    sock = writer.get_extra_info("socket")
    found = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    return int(CREDENTIALS.unpack(found)[0])


@contextlib.asynccontextmanager
async def running_proxy(redis_url: str) -> AsyncIterator[RedisProxy]:
    """Run a proxy before the server at `redis_url`."""
    with tempfile.TemporaryDirectory(prefix="hr-proxy-") as folder:
        path = str(Path(folder) / "s")
        proxy = RedisProxy(redis_url, path)
        server = await asyncio.start_unix_server(proxy.serve, path)
        try:
            yield proxy
        finally:
            server.close()
            await proxy.finish()


@contextlib.contextmanager
def proxy_thread(redis_url: str) -> Iterator[RedisProxy]:
    """Run a proxy in a thread with a loop of its own, for tests that block.

    `hold`, `lose` and flags may be used from the test's thread; `cut` and `forget` through
    `proxy.loop.call_soon_threadsafe`.
    """
    started: queue.Queue[RedisProxy] = queue.Queue()
    ending = threading.Event()

    async def run() -> None:
        async with running_proxy(redis_url) as proxy:
            started.put(proxy)
            await asyncio.to_thread(ending.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),), daemon=True)
    thread.start()
    try:
        yield started.get(timeout=10)
    finally:
        ending.set()
        thread.join(10)
