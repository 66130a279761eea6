"""Availability of models, by the variables and extras that they need and that workers have.

Only names of variables leave the workers, never their values.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from engine.models.dialects.builtin import BuiltinResult, BuiltinSection
from engine.models.dialects.endpoint import ProviderEndpoint
from engine.models.manifest import Model
from engine.process.extras import EMBEDDINGS, SPEECH, has_embeddings, has_speech, install_hint

NO_KEY = "The provider's key is not set up"
NO_ADDRESS = "The provider's address is not set up"
EXTRAS = {
    BuiltinResult.EMBEDDING: EMBEDDINGS,
    BuiltinResult.TRANSCRIPT: SPEECH,
    BuiltinResult.SPEECH: SPEECH,
}
"""Extras that builtin models need, by their result."""
NO_WORKER = "No worker is running"
DEMO_MARK = "@demo"
"""Suffix of a variable with an address of the demo provider, in addition to the bare name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerVariables:
    """Variables of manifests that are set at each living worker, one set per worker.

    An extra that is installed counts as a variable of its name. Variables that lead to the demo
    provider are marked.
    """

    sets: Collection[frozenset[str]]
    names_variables: bool = False
    """Whether reasons name the missing variables, since the reader can set them."""

    def unavailable_reason(self, model: Model) -> str | None:
        """Return the reason why no worker can call the model, or None if one can."""
        endpoint, needed, missing = (
            model.call.endpoint,
            needed_variables(model),
            self.missing(model),
        )
        if (endpoint is None and not needed) or (not missing and self.sets):
            return None
        if not self.sets:
            return NO_WORKER
        if endpoint is None:
            return no_extra(*needed)
        return missing_sentence(endpoint, missing, names_variables=self.names_variables)

    def is_demo(self, model: Model) -> bool:
        """Return whether a worker that can call the model would call the demo provider."""
        endpoint, needed = model.call.endpoint, needed_variables(model)
        if endpoint is None or not endpoint.base_url_env:
            return False
        return any(
            needed | {endpoint.base_url_env + DEMO_MARK} <= variables for variables in self.sets
        )

    def missing(self, model: Model) -> frozenset[str]:
        """Return the variables missing in the worker that has most of them."""
        needed = needed_variables(model)
        return min((needed - variables for variables in self.sets), key=len, default=needed)


def no_extra(extra: str) -> str:
    """Return the message about an extra that no worker has."""
    return f"The extra {extra} is not installed for the workers: {install_hint(extra)}"


def missing_sentence(
    endpoint: ProviderEndpoint, missing: Collection[str], *, names_variables: bool
) -> str:
    """Return the message about the missing address or key of an endpoint."""
    if endpoint.base_url_env in missing:
        return endpoint.setup if names_variables else NO_ADDRESS
    if names_variables:
        return f"{NO_KEY}: set {endpoint.api_key_env} and start the workers again"
    return NO_KEY


def needed_variables(model: Model) -> frozenset[str]:
    """Return the variables and extras that a call of the model needs."""
    endpoint = model.call.endpoint
    if endpoint is None:
        return _needed_extras(model)
    address = "" if endpoint.base_url else endpoint.base_url_env
    return frozenset(filter(None, (address, endpoint.api_key_env)))


def set_variables(
    models: Iterable[Model], environ: Mapping[str, str], demo_url: str = ""
) -> frozenset[str]:
    """Return the variables and extras needed by these models that a process has.

    Addresses below `demo_url` are marked as those of the demo provider.
    """
    models = list(models)
    needed = frozenset[str]().union(*(needed_variables(model) for model in models))
    presence = {EMBEDDINGS: has_embeddings, SPEECH: has_speech}
    extras = frozenset(name for name, is_here in presence.items() if name in needed and is_here())
    set_names = frozenset(name for name in needed if environ.get(name, "").strip())
    return (
        set_names | extras | (_demo_marks(models, environ, demo_url) if demo_url else frozenset())
    )


def _demo_marks(
    models: Iterable[Model], environ: Mapping[str, str], demo_url: str
) -> frozenset[str]:
    endpoints = (model.call.endpoint for model in models)
    names = {each.base_url_env for each in endpoints if each and each.base_url_env}
    beginning = f"{demo_url}/"
    return frozenset(
        name + DEMO_MARK for name in names if f"{environ.get(name, '')}/".startswith(beginning)
    )


def _needed_extras(model: Model) -> frozenset[str]:
    call = model.call
    extra = EXTRAS.get(call.gives) if isinstance(call, BuiltinSection) else None
    return frozenset() if extra is None else frozenset({extra})
