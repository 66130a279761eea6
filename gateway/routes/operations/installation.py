"""State of the installation, for the browsers of its admins."""

from typing import Annotated

from starlette.responses import Response
from starlette.routing import Route

from engine.errors import Unavailable
from engine.services.installation_state import InstallationState, read_installation
from engine.store import Principal
from engine.values.plain import moment
from gateway.auth.endpoints import admins_only, operation
from gateway.auth.resource import Resource
from gateway.http.responses import json_response
from gateway.http.types import Moment, Nested, View, doc
from gateway.openapi.examples import CREATED
from gateway.services import GatewayRequest, Services


class DegradedPart(Nested):
    """A part that does not work as it should."""

    name: Annotated[str, doc("As in `/readyz`: `memory`, `hints` or `history`.")]
    reason: str


class WorkerView(Nested):
    """A worker process."""

    id: Annotated[str, doc("Host, process id and a random part.")]
    alive: Annotated[bool, doc("False: what it held is being taken back.")]
    lease_ends_at: Moment
    executions: Annotated[int, doc("Executions in its hands.")]
    memory_bytes: Annotated[int | None, doc("Data of these executions; null: not told yet.")]
    memory_limit_bytes: int | None


class QueueView(Nested):
    """A queue from which workers take work."""

    name: Annotated[str, doc("`walk`, `bulk` or `deliver`.")]
    waiting: int
    oldest_at: Annotated[
        Moment | None, doc("When what waits longest was created; null: nothing waits.")
    ]


class RedisView(Nested):
    """Memory of Redis."""

    used_bytes: int
    limit_bytes: Annotated[int | None, doc("null: there is no limit.")]


class HistoryView(Nested):
    """The database of executions that ended."""

    configured: Annotated[bool, doc("Whether this gateway has a database.")]
    archived_until: Annotated[
        Moment | None, doc("All that ended before is archived; null: it is not known.")
    ]
    behind_seconds: Annotated[int, doc("Age of the oldest end that is not archived.")]
    waiting_executions: int
    waiting_deliveries: int
    refused: Annotated[int, doc("Executions that cannot be archived.")]
    problem: str | None


class InstallationView(View):
    """State of the installation."""

    at: Moment
    degraded: list[DegradedPart]
    workers: list[WorkerView]
    gateways: Annotated[list[str], doc("Gateways that have told of themselves lately.")]
    queues: list[QueueView]
    executions_due: Annotated[
        int,
        doc("Executions with a scheduled step: retries, and waits of nodes."),
    ]
    deliveries_due: Annotated[int, doc("Deliveries that wait for their next attempt.")]
    redis: RedisView
    history: HistoryView


InstallationView.examples = (
    InstallationView(
        at=CREATED,
        degraded=[DegradedPart(name="hints", reason="Work waits in walk, and no worker takes it")],
        workers=[
            WorkerView(
                id="host-7-1a2b3c",
                alive=True,
                lease_ends_at=CREATED,
                executions=3,
                memory_bytes=4_096,
                memory_limit_bytes=268_435_456,
            )
        ],
        gateways=["gateway-host-5-4d5e6f"],
        queues=[QueueView(name="walk", waiting=1, oldest_at=CREATED)],
        executions_due=3,
        deliveries_due=0,
        redis=RedisView(used_bytes=8_388_608, limit_bytes=None),
        history=HistoryView(
            configured=True,
            archived_until=CREATED,
            behind_seconds=0,
            waiting_executions=0,
            waiting_deliveries=0,
            refused=0,
            problem=None,
        ),
    ),
)


@operation(answers={200: InstallationView}, errors=(Unavailable,))
@admins_only
async def get_installation(request: GatewayRequest, principal: Principal) -> Response:
    """Workers, gateways, queues and the history of the installation, and degraded parts."""
    services = request.services
    found = await read_installation(services.store)
    return json_response(_view(found, services))


def _view(found: InstallationState, services: Services) -> InstallationView:
    is_configured = bool(services.settings.database_url)
    return InstallationView.from_record(
        found,
        degraded=[
            DegradedPart(name=name, reason=reason)
            for name, reason in services.readiness.reasons().items()
        ],
        workers=[
            WorkerView.from_record(
                each,
                alive=each.is_alive,
                memory_bytes=each.memory,
                memory_limit_bytes=each.memory_limit,
            )
            for each in found.workers
        ],
        queues=[QueueView.from_record(each) for each in found.queues],
        redis=RedisView(used_bytes=found.redis.used, limit_bytes=found.redis.limit or None),
        history=_history(found, services.own_database.problem(), is_configured=is_configured),
    )


def _history(found: InstallationState, own_problem: str, *, is_configured: bool) -> HistoryView:
    health = found.history
    problem = health.problem(own_problem)
    oldest = health.executions.oldest_at
    until = oldest if oldest is not None else None if problem or not is_configured else health.now
    return HistoryView(
        configured=is_configured,
        archived_until=moment(until),
        behind_seconds=0 if oldest is None else max(0, health.now - oldest) // 1_000,
        waiting_executions=health.executions.count,
        waiting_deliveries=health.deliveries.count,
        refused=health.state.refused,
        problem=problem or None,
    )


routes = [Route("/api/admin/installation", Resource(GET=get_installation))]
