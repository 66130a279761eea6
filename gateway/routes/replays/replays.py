"""Replays: list, read and cancel one's own."""

import asyncio
from typing import Annotated

from msgspec import Meta
from starlette.responses import Response
from starlette.routing import Route

from engine.errors import InvalidQuery, ReplayNotFound
from engine.executions.batches import BatchKind
from engine.services.batches.item_rows import parse_item_cursor
from engine.services.replays.replay_facts import ReplayFacts
from engine.services.replays.rows import ReplayRows
from engine.services.replays.selection import MOST_EXECUTIONS
from engine.services.replays.verdicts import ReplayVerdict
from engine.store import Batch, Principal, Store
from gateway.auth.endpoints import before_approval, in_turns, operation, requires
from gateway.auth.resource import Resource
from gateway.http.query import PageQuery, ShortPageQuery
from gateway.http.responses import json_response
from gateway.http.types import doc
from gateway.routes.replays.views import (
    ReplayCancelRequested,
    ReplayDetails,
    ReplayPage,
    ReplayRowView,
    ReplayView,
)
from gateway.services import GatewayRequest


class ReplayRowsQuery(PageQuery):
    """Query of a replay: some of its rows."""

    limit: Annotated[
        int, Meta(ge=1, le=MOST_EXECUTIONS, description="Rows of a page.", examples=[20])
    ] = MOST_EXECUTIONS
    verdict: Annotated[
        list[str] | None, doc("Only rows of this verdict; it may be repeated.", ["different"])
    ] = None


@operation(query=ShortPageQuery, answers={200: ReplayPage}, errors=(InvalidQuery,))
@requires("execution:read")
async def list_replays(request: GatewayRequest, principal: Principal) -> Response:
    """The caller's replays without their rows, newest first, a page at a time."""
    query, store = ShortPageQuery.parse(request.scope), request.services.store
    page = await store.lists.page(
        principal.account.id, BatchKind.REPLAY, "", limit=query.limit, cursor=query.cursor
    )
    rows = await asyncio.gather(*(_listed(store, each) for each in page.batches))
    return json_response(ReplayPage(list(rows), page.next_cursor))


async def _listed(store: Store, replay: Batch) -> ReplayView:
    ids = replay.account_id, replay.id
    facts, codes = await asyncio.gather(
        ReplayFacts.read(store, *ids), store.lists.verdict_codes(*ids)
    )
    return ReplayView(**ReplayView.members_of(replay, facts, codes))


@operation(
    query=ReplayRowsQuery, answers={200: ReplayDetails}, errors=(InvalidQuery, ReplayNotFound)
)
@in_turns
@requires("execution:read")
async def get_replay(request: GatewayRequest, principal: Principal) -> Response:
    """One replay with its rows: the earlier executions beside the new ones, with differences."""
    query, services = ReplayRowsQuery.parse(request.scope), request.services
    wanted = _codes_of(query.verdict)
    replay = await _find(request, principal)
    rows = ReplayRows(
        services.store,
        services.media_service,
        replay,
        services.result_memory.for_answer(request.context),
    )
    codes = await rows.complete()
    first = parse_item_cursor(query.cursor)
    chosen = [
        index
        for index, code in enumerate(codes)
        if index >= first and (not wanted or code in wanted)
    ]
    some = chosen[: query.limit]
    facts = await ReplayFacts.read(services.store, replay.account_id, replay.id)
    read = await rows.read(some, codes)
    return json_response(
        ReplayDetails(
            **ReplayView.members_of(replay, facts, codes),
            rows=[ReplayRowView.from_row(each) for each in read],
            next_cursor=str(some[-1] + 1) if len(chosen) > len(some) else None,
        )
    )


@operation(answers={202: ReplayCancelRequested}, errors=(ReplayNotFound,))
@before_approval  # it stops executions begun before the approval was withdrawn
@requires("execution:cancel")
async def cancel_replay(request: GatewayRequest, principal: Principal) -> Response:
    """Cancel a replay: its queued executions never begin, and its running ones are cancelled.

    A replay that is over stays as it is.
    """
    replay, batches = await _find(request, principal), request.services.store.batches
    ids = replay.account_id, replay.id
    status = replay.status if replay.status.is_over else await batches.cancel(*ids)
    return json_response(ReplayCancelRequested(replay.id, status.shown.value), 202)


async def _find(request: GatewayRequest, principal: Principal) -> Batch:
    """Return the replay in the path. Raises ReplayNotFound."""
    return await request.services.store.lists.get(
        principal.account.id, request.path_params["replay_id"], BatchKind.REPLAY, ReplayNotFound
    )


def _codes_of(words: list[str] | None) -> str:
    """Return the codes of verdicts. Raises InvalidQuery."""
    known = {each.word: each.code for each in ReplayVerdict}
    for word in words or ():
        if word not in known:
            raise InvalidQuery("verdict", f"'verdict' must be one of {', '.join(known)}")
    return "".join(known[word] for word in words or ())


routes = [
    Route("/api/replays", Resource(GET=list_replays)),
    Route("/api/replays/{replay_id}", Resource(GET=get_replay)),
    Route("/api/replays/{replay_id}/cancel", Resource(POST=cancel_replay)),
]
