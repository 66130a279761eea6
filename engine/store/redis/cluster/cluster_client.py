"""Client of a cluster: routes each command to the primary of its first key.

A primary that does not hold a key refuses the command before it executes anything, so a redirected
command is sent again. After a lost reply scripts are sent again as on one server.
"""

import asyncio
import secrets
from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any

import hiredis

from engine.errors import Unavailable
from engine.executions.retry import jittered
from engine.store.redis import errors
from engine.store.redis.address import RedisAddress, RedisNode
from engine.store.redis.client import Client, RepeatLimit, forget
from engine.store.redis.cluster.guard import ClusterGuard, NodeGuard
from engine.store.redis.cluster.node_client import NodeClient
from engine.store.redis.cluster.routes import ANY_PRIMARY, route, slot_of
from engine.store.redis.cluster.topology import ClusterTopology, topology_of
from engine.store.redis.connection import Argument, pack
from engine.store.redis.scripts import Script

MOST_REDIRECTIONS = 8
RETRY_SECONDS = 2.0
"""Longest time in which a command is sent again because its keys are being moved."""
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 0.25
AWAY = "The store cannot be reached right now"


class ClusterClient(Client):
    """Sends commands and scripts like `Client`, over one pipeline per primary.

    Replies of different primaries come in any order. A command that spans two slots is refused by
    the server: Unavailable with the word CROSSSLOT.
    """

    keeps_order = False

    def __init__(self, address: RedisAddress, guard: ClusterGuard | None = None) -> None:
        self._address = address
        self._cluster_guard = guard
        self._is_closed = False
        self._known: ClusterTopology | None = None
        self._nodes: dict[RedisNode, NodeClient] = {}
        self._waiting: list[_Request] = []
        """Requests until the topology is known."""
        self._tasks: set[asyncio.Task[None]] = set()
        self.reloads = 0

    async def close(self) -> None:
        """Close all connections; pending calls get Unavailable."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(node.close() for node in self._nodes.values()))
        self._fail_waiting()
        if self._cluster_guard is not None:
            await self._cluster_guard.close()

    def send(self, *command: Argument) -> asyncio.Future[Any]:
        """Queue a plain command and return the future of its reply.

        Raises ValueError for a command without a known route.
        """
        request = _Request(self, route(command), pack(*command))
        self._begin(request)
        return request.future

    def call(self, script: Script, /, **names: Any) -> asyncio.Future[Any]:
        """Queue a script by its digest and return the future of its reply.

        `names` are the keys and arguments by their names in the script's header; TypeError is
        raised for a missing or an unknown one.
        """
        words = script.names.bind(names)
        packed = pack("EVALSHA", script.sha, *words)
        request = _Request(self, slot_of(words[1]), packed, script, words)
        self._begin(request)
        return request.future

    def post(self, *command: Argument) -> None:
        """Queue a plain command that may be lost. Raises ValueError like `send`."""
        forget(self.send(*command))

    async def send_to_all(self, *command: Argument) -> list[Any]:
        """Send a plain command to every primary and return the replies."""
        await self._know()
        primaries = self.topology.primaries
        requests = [_Request(self, ANY_PRIMARY, pack(*command)) for _ in primaries]
        for request, node in zip(requests, primaries, strict=True):
            self.forward(request, node)
        return await asyncio.gather(*(request.future for request in requests))

    def flush_if_idle(self) -> None:
        """Send the queued commands now, to each primary without outstanding replies."""
        for node in self._nodes.values():
            node.flush_if_idle()

    @property
    def topology(self) -> ClusterTopology:
        """Return the topology that all clients of this process and address share."""
        if self._known is None:
            self._known = topology_of(self._address)
        return self._known

    def forward(self, request: "_Request", node: RedisNode | None = None) -> None:
        """Queue a request for a primary: the named one, else that of the request's slot."""
        if self._is_closed:
            request.fail(ConnectionError("The client is closed"))
            return
        node = node or self._choose(request.slot)
        if node is None:
            self.topology.suspect()
            request.refuse("CLUSTERDOWN")
            return
        request.queue_at(self._nodes.get(node) or self._add(node))

    def _begin(self, request: "_Request") -> None:
        if self.topology.primaries:
            self.forward(request)
            return
        self._waiting.append(request)
        if len(self._waiting) == 1:
            self._start(self._learn())

    async def _learn(self) -> None:
        """Read the topology for the waiting requests."""
        try:
            await self._know()
        except Unavailable:
            self._fail_waiting()
            return
        waiting, self._waiting = self._waiting, []
        for request in waiting:
            self.forward(request)

    async def _know(self) -> None:
        """Read the topology unless it is known. Raises Unavailable."""
        try:
            await self.topology.read(max_age=float("inf"))
        except ConnectionError as error:
            raise Unavailable(AWAY) from error

    def _choose(self, slot: int) -> RedisNode | None:
        """Return the primary of a slot, for `ANY_PRIMARY` preferably a connected one.

        A killed primary has its place in the topology until the failover, so one that was lost is
        chosen last.
        """
        if slot != ANY_PRIMARY:
            return self.topology.primary_of(slot)
        primaries = self.topology.primaries
        known = [(each, self._nodes.get(each)) for each in primaries]
        connected = [each for each, client in known if client and client.is_connected]
        hopeful = [each for each, client in known if not (client and client.is_failing)]
        return secrets.choice(connected or hopeful or primaries) if primaries else None

    def _add(self, node: RedisNode) -> NodeClient:
        """Return a new client of a node; those of nodes that are no primaries any more end."""
        for former in self._nodes.keys() - set(self.topology.primaries):
            if self._nodes[former].is_idle:
                self._start(self._nodes.pop(former).close())
        on_failure = partial(self.topology.suspect, node)
        guard = self._cluster_guard and NodeGuard(self._cluster_guard, self.topology, node)
        client = self._nodes[node] = NodeClient(self._address, node, guard, on_failure)
        return client

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _fail_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for request in waiting:
            request.fail(ConnectionError("No node of the cluster can be reached"))


class _Request:
    """One command until its reply; receives replies, and sends the command again if it may."""

    __slots__ = (
        *("_client", "_is_asking", "_node", "_packed", "_pause", "_redirections", "_repeats"),
        "_script",
        *("_started_at", "_words", "future", "slot"),
    )

    def __init__(
        self,
        client: ClusterClient,
        slot: int,
        packed: bytes,
        script: Script | None = None,
        words: Sequence[Any] = (),
    ) -> None:
        self.future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.slot = slot
        self._client = client
        self._packed = packed
        self._script = script
        self._words = words
        self._node: NodeClient | None = None
        self._is_asking = False
        self._redirections = 0
        self._repeats: RepeatLimit | None = None
        self._pause = 0.0
        self._started_at = 0.0

    def queue_at(self, node: NodeClient) -> None:
        """Queue the command at a primary."""
        self._node = node
        if self._is_asking:
            node.queue_asking(self._packed, self)
        elif self._script is None:
            node.queue(self._packed, self)
        else:
            node.queue_script(self._packed, self)

    def __call__(self, reply: Any) -> None:
        """Receive a reply."""
        if not isinstance(reply, Exception):
            if not self.future.done():
                self.future.set_result(reply)
        elif self._is_repeated(reply):
            self._try_again()
        elif (
            self._node is None
            or not isinstance(reply, hiredis.ReplyError)
            or not self._sends_again(self._node, str(reply))
        ):
            self.fail(reply)

    def fail(self, failure: Exception) -> None:
        """End with the error for a failure."""
        if not self.future.done():
            node = self._node
            self.future.set_exception(node.translate(failure) if node else Unavailable(AWAY))

    def refuse(self, word: str) -> None:
        """End with the error for a refusal with this word."""
        if not self.future.done():
            self.future.set_exception(errors.unavailable(word))

    def _is_repeated(self, failure: Exception) -> bool:
        """Return whether somebody waits for a lost reply, and another call may have it."""
        if self._script is None or self.future.done():
            return False
        self._repeats = self._repeats or RepeatLimit()
        return self._repeats.admits(failure, self._script)

    def _sends_again(self, node: NodeClient, text: str) -> bool:
        """Return whether the command was not executed and is sent again."""
        match errors.parse_word(text):
            case "MOVED" | "ASK" as word if self._redirections < MOST_REDIRECTIONS:
                self._redirections += 1
                self._follow(node, word, text)
            case "TRYAGAIN" if self._may_wait():
                self._redirections = 0  # the next attempt begins at the owner of the slot
                asyncio.get_running_loop().call_later(jittered(self._pause), self._try_again)
            case "NOSCRIPT" if self._script is not None:
                self._client.reloads += 1
                self._packed = pack("EVAL", self._script.text, *self._words)
                self.queue_at(node)
            case "CLUSTERDOWN":
                self._client.topology.suspect()
                return False
            case _:
                return False
        return True

    def _follow(self, sender: NodeClient, word: str, text: str) -> None:
        """Send the command to the node of a redirection: `MOVED 3999 127.0.0.1:6381`."""
        _, slot, place = text.split(" ")[:3]
        host, _, port = place.rpartition(":")
        # A node that was not told its own address leaves it out: it is where the command went.
        node = RedisNode(host=host if host.strip("?") else sender.node.host, port=int(port))
        self._is_asking = word == "ASK"
        if not self._is_asking:
            self._client.topology.move(int(slot), node)
        self._client.forward(self, node)

    def _may_wait(self) -> bool:
        """Return whether a further attempt is allowed, after the next pause."""
        now = asyncio.get_running_loop().time()
        self._started_at = self._started_at or now
        self._pause = min(2 * self._pause or FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        return now - self._started_at < RETRY_SECONDS

    def _try_again(self) -> None:
        self._is_asking = False
        self._client.forward(self)
