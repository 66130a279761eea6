"""Streams of `subscriptions/listen`: the list of tools has changed."""

import contextlib
from collections.abc import Callable
from typing import Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import ListenHandler
from mcp.shared.subscriptions import ServerEvent, ToolsListChanged
from mcp_types import (
    SubscriptionFilter,
    SubscriptionsListenRequestParams,
    SubscriptionsListenResult,
)

from gateway.mcp.changes import ToolStream
from gateway.mcp.messages import exchange_of
from gateway.mcp.tasks import check_task_subscription


class _StreamBus:
    """Events of one stream, since each account has its own."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[ServerEvent], None]] = []

    async def publish(self, event: ServerEvent) -> None:
        """Pass an event on to the stream."""
        for listener in self._listeners:
            listener(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Let the stream receive events; return the function that ends this."""
        self._listeners.append(listener)
        return self._listeners.clear


async def listen(
    context: ServerRequestContext[Any, Any], params: SubscriptionsListenRequestParams
) -> SubscriptionsListenResult:
    """Tell of changes until the client hangs up, the key ends or the process stops.

    The guard has taken a place among the streams of the account.
    """
    check_task_subscription(context, params.notifications)
    exchange = exchange_of(context.request)
    stream = ToolStream(exchange.request, exchange.principal)
    await stream.read()  # from now on
    bus = _StreamBus()
    handler = ListenHandler(bus)

    async def watch() -> None:
        async with contextlib.aclosing(stream.follow()) as pages:
            async for page in pages:
                if page is not None and page.entries:
                    await bus.publish(ToolsListChanged())
        handler.close()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        result = await handler(context, _only_tools(params))
        tasks.cancel_scope.cancel()
    return result


def _only_tools(params: SubscriptionsListenRequestParams) -> SubscriptionsListenRequestParams:
    """Return the parameters without kinds of changes that never happen here."""
    wanted = SubscriptionFilter(tools_list_changed=params.notifications.tools_list_changed)
    return params.model_copy(update={"notifications": wanted})
