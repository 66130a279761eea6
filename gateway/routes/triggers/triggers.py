"""Triggers: list, make, read, change and delete one's own."""

from functools import partial
from typing import Annotated, Any

from msgspec import UNSET
from msgspec.structs import replace
from starlette.responses import Response
from starlette.routing import Route

from engine import errors
from engine.errors import InvalidCursor
from engine.ids.triggers import is_trigger_id, new_trigger_id
from engine.store import Principal
from engine.triggers.trigger import Trigger, TriggerKind, TriggerSettings
from gateway.auth.endpoints import checked_by_handler, in_turns, operation, requires
from gateway.auth.principal import check_capability
from gateway.auth.resource import Resource
from gateway.http.query import ShortPageQuery, Slug
from gateway.http.request_bodies import read_body
from gateway.http.responses import DELETED, Deleted, json_response
from gateway.http.types import doc
from gateway.routes.triggers.views import TriggerPageView, TriggerView
from gateway.services import GatewayRequest
from gateway.triggers.access import RUN, check_any_run, find_trigger, may_run
from gateway.triggers.bodies import TriggerChanges, TriggerRequest
from gateway.triggers.webhooks import read_trigger_webhook

SAVE_ERRORS = (
    *(errors.InvalidTrigger, errors.InvalidWebhook),
    *(errors.CapabilityDenied, errors.CapabilityAboveCeiling),
)


class TriggersQuery(ShortPageQuery):
    """Query of a list of triggers."""

    kind: Annotated[TriggerKind | None, doc("Only triggers of this kind.")] = None
    workflow_slug: Annotated[Slug | None, doc("Only triggers of this workflow.")] = None


@operation(query=TriggersQuery, answers={200: TriggerPageView}, errors=(errors.InvalidQuery,))
@in_turns
@checked_by_handler
@requires(RUN, also="workflow:write")
async def list_triggers(request: GatewayRequest, principal: Principal) -> Response:
    """The account's triggers, newest first, a page at a time.

    A key that may run some workflows sees the triggers of these.
    """
    query = TriggersQuery.parse(request.scope)
    check_any_run(principal)
    found = [
        each
        for each in await request.services.store.triggers.list(principal.account.id)
        if may_run(principal, each.settings.slug)
        and query.kind in (None, each.kind)
        and query.workflow_slug in (None, each.settings.slug)
    ]
    page, next_cursor = _page(found, query)
    rows = [TriggerView.from_trigger(each, request.address) for each in page]
    return json_response(TriggerPageView(rows, next_cursor))


def _page(found: list[Trigger], query: TriggersQuery) -> tuple[list[Trigger], str | None]:
    """Return a page of sorted triggers and the cursor of the next one. Raises InvalidCursor."""
    if query.cursor is not None:
        at, _, trigger_id = query.cursor.partition("-")
        if not at.isascii() or not at.isdecimal() or not is_trigger_id(trigger_id):
            raise InvalidCursor
        found = [each for each in found if (each.created_at, each.id) < (int(at), trigger_id)]
    page = found[: query.limit]
    is_last = len(found) <= query.limit
    return page, None if is_last else f"{page[-1].created_at}-{page[-1].id}"


@operation(
    body=TriggerRequest,
    answers={201: TriggerView},
    errors=(*SAVE_ERRORS, errors.QuotaExceeded),
)
@checked_by_handler
@requires(RUN, also="workflow:write")
async def create_trigger(request: GatewayRequest, principal: Principal) -> Response:
    """Make a schedule or an inbound webhook that runs a workflow.

    A key that may run this workflow alone suffices. An account has at most 100 triggers.
    """
    body = await read_body(request, TriggerRequest)
    check_capability(principal, RUN, body.workflow_slug)
    trigger_id = new_trigger_id()
    settings = await _with_webhook(request, principal, body, trigger_id, body.make())
    trigger = await request.services.trigger_saves.create(
        principal.account.id,
        settings,
        enabled=body.enabled is not False,
        key_id=principal.key_id,
        trigger_id=trigger_id,
    )
    return json_response(TriggerView.from_trigger(trigger, request.address), 201)


@operation(answers={200: TriggerView}, errors=(errors.TriggerNotFound,))
@checked_by_handler
@requires(RUN, also="workflow:write")
async def get_trigger(request: GatewayRequest, principal: Principal) -> Response:
    """One trigger, with its last occurrence."""
    trigger = await find_trigger(request, principal)
    return json_response(TriggerView.from_trigger(trigger, request.address))


@operation(
    body=TriggerChanges,
    answers={200: TriggerView},
    errors=(*SAVE_ERRORS, errors.TriggerNotFound),
)
@checked_by_handler
@requires(RUN, also="workflow:write")
async def change_trigger(request: GatewayRequest, principal: Principal) -> Response:
    """Change a trigger, enable or disable it; members that are left out stay as they are.

    Due times that have come begin before, with the former settings. The time while a schedule is
    disabled gives no occurrences.
    """
    trigger = await find_trigger(request, principal)
    body = await read_body(request, TriggerChanges)
    if body.workflow_slug is not UNSET:
        check_capability(principal, RUN, body.workflow_slug)
    change = partial(_changed, request, principal, body)
    changed = await request.services.trigger_saves.change(trigger, change)
    return json_response(TriggerView.from_trigger(changed, request.address))


@operation(answers={200: Deleted}, errors=(errors.TriggerNotFound,))
@checked_by_handler
@requires(RUN, also="workflow:write")
async def delete_trigger(request: GatewayRequest, principal: Principal) -> Response:
    """Delete a trigger: no run starts from now on. Its executions stay."""
    trigger = await find_trigger(request, principal)
    await request.services.store.triggers.delete(trigger, by=principal.account.id)
    return json_response(DELETED)


async def _changed(
    request: GatewayRequest, principal: Principal, body: TriggerChanges, trigger: Trigger
) -> tuple[TriggerSettings, bool]:
    """Return the settings after the changes, and whether the trigger is enabled."""
    settings = body.change(trigger.settings)
    settings = await _with_webhook(request, principal, body, trigger.id, settings)
    return settings, trigger.enabled if body.enabled is UNSET else body.enabled is True


async def _with_webhook(
    request: GatewayRequest,
    principal: Principal,
    body: TriggerChanges,
    trigger_id: str,
    settings: TriggerSettings,
) -> TriggerSettings:
    """Return the settings with the webhook that the body names, if it names one."""
    named: Any = body.webhook
    if named is UNSET:
        return settings
    if named is None:
        return replace(settings, webhook=None)
    webhook = await read_trigger_webhook(request, principal, trigger_id, named, settings.webhook)
    return replace(settings, webhook=webhook)


routes = [
    Route("/api/triggers", Resource(GET=list_triggers, POST=create_trigger)),
    Route(
        "/api/triggers/{trigger_id}",
        Resource(GET=get_trigger, PATCH=change_trigger, DELETE=delete_trigger),
    ),
]
