"""Waits in the answer about an execution: those of its nodes and of executions below it."""

from msgspec import UNSET

from engine.access.approval_links import ApprovalPlace
from engine.access.capabilities import APPROVE
from engine.executions.execution import Execution
from engine.executions.node_waits import NodeWait
from engine.store import Principal
from gateway.auth.principal import has_capability
from gateway.services import GatewayRequest
from gateway.waits.views import WaitView


async def read_waiting_for(
    request: GatewayRequest, principal: Principal, execution: Execution
) -> list[WaitView]:
    """Return the entries of `waitingFor`, with links if the caller may approve.

    Raises Unavailable.
    """
    if not execution.has_waited:
        return []
    waits = list(execution.waits)
    if not execution.is_child:
        waits += await request.services.store.node_waits.of_children(
            execution.account_id, execution.id
        )
    may_approve = has_capability(principal, APPROVE)
    return [
        WaitView.of_wait(each, execution.id, url_of(request, each) if may_approve else UNSET)
        for each in waits
    ]


def url_of(request: GatewayRequest, wait: NodeWait) -> str | None:
    """Return the link of an approval; None in an installation without a secret key."""
    place = ApprovalPlace(wait.account_id, wait.execution_id, wait.node_index)
    return request.services.approval_links.url_of(place, request.address)
