"""A model of the registry as the target of a run."""

from dataclasses import dataclass

from engine import errors
from engine.graph.model_plan import model_plan
from engine.models.registry import find_model
from engine.services.runs.acceptance import Runnable
from engine.store import Principal
from gateway.runs.service import BROWSER_SOURCE
from gateway.services import Services


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A model of the registry, by internal name."""

    internal_name: str
    source, browser_source = "api-slim", BROWSER_SOURCE

    async def find(
        self, services: Services, principal: Principal, *, fresh: bool = False
    ) -> Runnable:
        """See `RunTarget.find`. Raises ModelNotFound."""
        model = find_model(self.internal_name)
        if model is None or not model.enabled:
            raise errors.ModelNotFound
        return Runnable(plan=model_plan(model))
