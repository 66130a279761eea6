"""Rights of callers on triggers: a key limited to one workflow sees and changes its triggers."""

from engine.errors import TriggerNotFound
from engine.store import Principal
from engine.triggers.trigger import Trigger
from gateway.auth.principal import check_capability, has_capability
from gateway.services import GatewayRequest

RUN = "workflow:run"
SUFFIX = ":run"
WORKFLOW = "workflow:"


def may_run(principal: Principal, slug: str) -> bool:
    """Return whether the caller may run a workflow."""
    return has_capability(principal, RUN, slug)


def check_any_run(principal: Principal) -> None:
    """Raise CapabilityDenied for a key that may run no workflow at all."""
    held = () if principal.key is None else principal.key.capabilities
    if not any(each.startswith(WORKFLOW) and each.endswith(SUFFIX) for each in held):
        check_capability(principal, RUN)


async def find_trigger(request: GatewayRequest, principal: Principal) -> Trigger:
    """Return the trigger of the path. Raises TriggerNotFound, also where the key may not run it."""
    trigger_id: str = request.path_params["trigger_id"]
    trigger = await request.services.store.triggers.get(principal.account.id, trigger_id)
    if not may_run(principal, trigger.settings.slug):
        raise TriggerNotFound
    return trigger
