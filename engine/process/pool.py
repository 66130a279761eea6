"""A pool of child processes that can be killed: a deadline ends even work that blocks in C.

The children are forked from a zygote process of our own (`pool_child`), not from the standard
library's fork server: that one hands its life-line on to each child, so a child stuck in C outlives
a killed parent, and it stays behind when the pool is closed.
"""

import asyncio
import contextlib
import logging
import os
import pickle
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

from engine.errors.nodes import NodeFailed
from engine.process.account_semaphore import AccountSemaphore
from engine.process.pool_child import HEADER
from engine.process.pool_zygote import PRELOAD, PoolZygote

log = logging.getLogger(__name__)

START_SECONDS = 10.0
"""Longest time until the first child of a zygote, which imports modules before."""
FORK_SECONDS = 3.0
"""Longest time until a further one; a zygote that takes longer hangs, and is replaced."""
RESPAWN_PAUSE_SECONDS = 0.5
CHUNK_BYTES = 65_536


class PoolTimeout(Exception):
    """The call did not end by its deadline; its process was killed."""


class PoolCrashed(Exception):
    """The process died during the call (killed, out of memory, or exited by itself)."""


class PoolGate(Protocol):
    """Gate that a call passes before it takes a slot."""

    @property
    def may_grow(self) -> bool:
        """True when the gate is open now."""
        ...

    async def wait(self) -> None:
        """Wait until the gate is open."""
        ...


class Runner(Protocol):
    """Port to functions in child processes."""

    async def run(self, function: Callable[..., Any], *args: Any, deadline_seconds: float) -> Any:
        """Call a top-level function. Raises PoolTimeout, PoolCrashed and its own errors."""
        ...


async def compute(
    pool: Runner, what: str, seconds: float, function: Callable[..., Any], *args: Any
) -> Any:
    """Call a function within `seconds` for a node; `what` is the subject of error messages.

    Raises NodeFailed.
    """
    try:
        return await pool.run(function, *args, deadline_seconds=seconds)
    except PoolTimeout:
        raise timed_out(seconds) from None
    except (PoolCrashed, MemoryError):
        message = f"{what} needed more memory than it may have"
        raise NodeFailed("resource_exhausted", message) from None


def timed_out(seconds: float) -> NodeFailed:
    """Return the failure of a node that exceeded its time."""
    return NodeFailed("timeout", f"The node did not end within {seconds:g} s", retryable=True)


class _Child:
    """One process and the socket to it; it works on one call at a time."""

    def __init__(self, channel: socket.socket, pid: int, zygote: PoolZygote) -> None:
        self._channel = channel
        self._pid = pid
        self.zygote = zygote

    def is_alive(self) -> bool:
        """Return whether the process lives: an idle child sends nothing but its end."""
        try:
            self._channel.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    async def call(self, request: bytes) -> tuple[bool, Any]:
        """Send a request and wait for the answer. Raises PoolCrashed when the process ends."""
        try:
            await self._send(request)
            answer = await self._receive()
        except OSError:
            raise PoolCrashed("The process ended in the middle of the work") from None
        is_value, outcome = pickle.loads(answer)
        return is_value, outcome

    async def _send(self, request: bytes) -> None:
        loop, header = asyncio.get_running_loop(), HEADER.pack(len(request))
        if len(request) <= CHUNK_BYTES:
            await loop.sock_sendall(self._channel, header + request)
        else:  # without a second copy
            await loop.sock_sendall(self._channel, header)
            await loop.sock_sendall(self._channel, request)

    async def _receive(self) -> bytearray:
        data = bytearray(await _read_some(self._channel))
        while len(data) < HEADER.size:
            data += await _read_some(self._channel)
        (size,) = HEADER.unpack_from(data)
        del data[: HEADER.size]
        while len(data) < size:
            data += await _read_some(self._channel)
        return data

    def kill(self) -> None:
        """Kill the process; a caller that waits for its answer receives the end."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        """Close the socket, once no call waits on it."""
        self._channel.close()


class Pool:
    """Runs functions in child processes: `slots` at a time for an account, with a child to spare.

    All accounts together have `reserved` further ones (by default as many), and take turns. The
    first call starts the children, so that a worker whose runs need none has none.
    """

    def __init__(
        self,
        *,
        slots: int,
        reserved: int | None = None,
        memory_bytes: int = 512 * 1024 * 1024,
        preload: Sequence[str] = PRELOAD,
    ) -> None:
        self._slots = slots
        self._memory_bytes = memory_bytes
        self._preload = preload
        limit = slots + (slots if reserved is None else reserved)
        self._account_slots = AccountSemaphore(limit, share=slots)
        self._idle: asyncio.LifoQueue[_Child] = asyncio.LifoQueue()
        self._children: set[_Child] = set()
        self._respawns: set[asyncio.Task[None]] = set()
        self._zygote: PoolZygote | None = None
        self._hung: set[PoolZygote] = set()
        """Templates that do not answer, whose children still work."""
        self._is_started = False
        self._starting = asyncio.Lock()
        self._closed = False

    @property
    def busy(self) -> int:
        """Number of calls that have a slot."""
        return self._account_slots.taken

    @property
    def limit(self) -> int:
        """Most calls that have a slot at a time."""
        return self._account_slots.limit

    async def start(self) -> None:
        """Start the zygote and all children, once; returns when they can work."""
        async with self._starting:
            if not self._is_started and not self._closed:
                missing = self._slots + 1 - len(self._children)  # a start may have been cut short
                await asyncio.gather(*(self._spawn() for _ in range(missing)))
                self._is_started = True

    async def close(self) -> None:
        """Kill every process; calls that are still running raise PoolCrashed."""
        self._closed = True
        for task in self._respawns:
            task.cancel()
        await asyncio.gather(*self._respawns, return_exceptions=True)
        for child in self._children:
            child.kill()
        while not self._idle.empty():
            self._idle.get_nowait().close()
        for zygote in (self._zygote, *self._hung):
            if zygote is not None:
                zygote.close()

    async def run(
        self,
        function: Callable[..., Any],
        *args: Any,
        deadline_seconds: float,
        gate: PoolGate | None = None,
        account_id: str = "",
    ) -> Any:
        """Call a top-level function in a child; the deadline starts when the account has a slot.

        Raises PoolTimeout, PoolCrashed, or the function's own error.
        """
        if not self._is_started:
            await self.start()
        async with self._slot(gate, account_id):
            # Pickled only now, so that waiting calls have no second copy.
            request = pickle.dumps((function, args), pickle.HIGHEST_PROTOCOL)
            is_value, outcome = await self._run_in_child(request, deadline_seconds)
        if is_value:
            return outcome
        raise outcome

    @contextlib.asynccontextmanager
    async def _slot(self, gate: PoolGate | None, account_id: str) -> AsyncIterator[None]:
        """Hold a slot while the gate is open; without the gate, no slot is taken."""
        while True:
            if gate is not None:
                await gate.wait()
            async with self._account_slots.slot(account_id):
                if gate is None or gate.may_grow:
                    yield
                    return

    async def _run_in_child(self, request: bytes, deadline_seconds: float) -> tuple[bool, Any]:
        try:
            async with asyncio.timeout(deadline_seconds):
                child = await self._take()
                try:
                    outcome = await child.call(request)
                except BaseException:
                    self._replace(child)
                    raise
        except TimeoutError:
            raise PoolTimeout(f"No answer within {deadline_seconds:g} s") from None
        self._give_back(child)
        return outcome

    async def _take(self) -> _Child:
        while not self._closed:
            if len(self._children) + len(self._respawns) <= self._account_slots.taken:
                self._respawn_later()  # accounts use reserved slots
            child = await self._idle.get()
            if child.is_alive():
                return child
            self._replace(child)
        raise PoolCrashed("The pool is closed")

    def _give_back(self, child: _Child) -> None:
        if len(self._children) > max(self._slots, self._account_slots.taken) + 1:
            self._remove(child)
        else:
            self._idle.put_nowait(child)

    def _replace(self, child: _Child) -> None:
        self._remove(child)
        if not self._closed:
            self._respawn_later()

    def _remove(self, child: _Child) -> None:
        if child in self._children and not self._closed:
            child.kill()
        child.close()
        self._children.discard(child)
        for zygote in self._hung - {each.zygote for each in self._children}:
            self._hung.discard(zygote)
            zygote.close()

    def _respawn_later(self) -> None:
        task = asyncio.create_task(self._respawn())
        self._respawns.add(task)
        task.add_done_callback(self._respawns.discard)

    async def _respawn(self) -> None:
        while True:
            try:
                return await self._spawn()
            except (PoolCrashed, OSError):  # OSError: no file descriptor is left, too
                log.warning("a pool process did not start")
                await asyncio.sleep(RESPAWN_PAUSE_SECONDS)

    async def _spawn(self) -> None:
        if self._zygote is None:
            self._zygote = PoolZygote(self._memory_bytes, self._preload)
            self._zygote.watch(self._zygote_ended)
        zygote = self._zygote
        parent_end, child_end = socket.socketpair()
        parent_end.setblocking(False)
        try:
            with child_end:
                zygote.fork(child_end)
            async with asyncio.timeout(FORK_SECONDS if zygote.has_forked else START_SECONDS):
                (pid,) = HEADER.unpack(await _read_some(parent_end))
        except BaseException as error:
            parent_end.close()
            if isinstance(error, TimeoutError | BlockingIOError):
                self._leave_hung(zygote)
            if isinstance(error, OSError | PoolCrashed):
                raise PoolCrashed("A process of the pool did not start") from None
            raise
        zygote.has_forked = True
        child = _Child(parent_end, pid, zygote)
        self._children.add(child)
        self._idle.put_nowait(child)

    def _zygote_ended(self) -> None:
        """Reap the zygote, and replace it with its children, which have ended with it."""
        zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.close()
        for _ in range(self._idle.qsize()):
            self._replace(self._idle.get_nowait())

    def _leave_hung(self, zygote: PoolZygote) -> None:
        """Let the next child come from another zygote; this one ends with its last child."""
        if zygote is self._zygote:
            log.warning("the zygote of a pool hangs; another one is started")
            self._zygote = None
            self._hung.add(zygote)


class AccountRunner:
    """A pool for one account's calls, which begin while a gate is open."""

    def __init__(self, pool: Pool, account_id: str, gate: PoolGate | None = None) -> None:
        self._pool = pool
        self._account_id = account_id
        self._gate = gate

    async def run(self, function: Callable[..., Any], *args: Any, deadline_seconds: float) -> Any:
        """Like `Pool.run`, with the account and the gate."""
        return await self._pool.run(
            function,
            *args,
            deadline_seconds=deadline_seconds,
            gate=self._gate,
            account_id=self._account_id,
        )


async def _read_some(channel: socket.socket) -> bytes:
    data = await asyncio.get_running_loop().sock_recv(channel, CHUNK_BYTES)
    if not data:
        raise PoolCrashed("The process ended in the middle of the work")
    return data
