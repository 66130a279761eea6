"""Manifests on the command line: checks, and a trial with one call."""

import asyncio
import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from deploy.client.inputs import parse_inputs
from deploy.output.problems import CommandFailed, SchemaRefused
from deploy.stack.location import LOCAL_MODEL_URL, find_stack
from deploy.stack.store_access import with_store
from engine.errors import InvalidInputs
from engine.errors.nodes import NodeFailed
from engine.models import folder, registry
from engine.models.availability import WorkerVariables, set_variables
from engine.models.calls.call_checks import check_call
from engine.models.dialects.builtin import BuiltinSection
from engine.models.manifest import ManifestError, Model, parse_manifest
from engine.models.pricing import MICRO, Price, Unit, cost_micro_usd
from engine.models.schema import manifest_schema
from engine.settings import load
from engine.store import Store
from workers.media.fetch import fetch_media
from workers.nodes.local_models import LocalPool, SpeechPool
from workers.outbound.address_gate import AddressGate
from workers.outbound.client import Egress
from workers.providers.base import MediaStore, ModelAnswer, ModelCall, StoredMedia, ignore_update
from workers.providers.model_caller import ModelCaller


def use_models_dir(folder: Path | None) -> None:
    """Load the models of a folder into the registry, or of the folder in the settings."""
    registry.use_folder(load().models_dir if folder is None else str(folder))


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundModels:
    """Result of loading models into the registry."""

    left_out: list[str]
    """A sentence for each model that was not loaded."""
    workers: WorkerVariables
    """Variables that workers have set; without a stack, the variables of this shell."""


def use_models(folder: Path | None, data_dir: Path) -> FoundModels:
    """Load the models of the local stack, with a folder in place of its own.

    Without a stack, models that were saved over HTTP are left out.
    """
    # its log lines are part of the result
    logging.getLogger("engine").addHandler(logging.NullHandler())
    sets: list[frozenset[str]] | None = None
    try:
        left_out, sets = with_store(data_dir, _read_store)
    except SchemaRefused:
        raise
    except CommandFailed as error:
        use_models_dir(folder)
        left_out = [f"Models that were saved over HTTP are left out. {error}"]
    if folder is not None:
        use_models_dir(folder)
    wrong = [line for error in registry.folder_errors() for line in str(error).splitlines()]
    if sets is None:
        sets = [set_variables(registry.all_models(), environ_of_stack(data_dir))]
    return FoundModels(
        left_out=[*wrong, *left_out], workers=WorkerVariables(sets=sets, names_variables=True)
    )


async def _read_store(store: Store) -> tuple[list[str], list[frozenset[str]]]:
    left_out = [
        f"The saved model '{name}' is left out: {'; '.join(reasons)}"
        for name, reasons in store.models.left_out().items()
    ]
    return left_out, await store.leases.variables()


def check_manifests(path: Path) -> tuple[list[str], list[str]]:
    """Return the internal names of valid manifests, and a line for each fault. Raises OSError."""
    if path.is_dir():
        loaded = folder.load(path)
        faults = [line for error in loaded.errors for line in str(error).splitlines()]
        return [each.internal_name for each in loaded.models], faults
    try:
        model = parse_manifest(path.read_text(encoding="utf-8"), str(path))
    except ManifestError as error:
        return [], str(error).splitlines()
    except UnicodeDecodeError:
        return [], [f"{path}: is not UTF-8"]
    return [model.internal_name], []


def environ_of_stack(data_dir: Path) -> dict[str, str]:
    """Return this shell's environment, with the stack's local model and demo provider if any."""
    try:
        stack = find_stack(data_dir)
    except CommandFailed:
        return dict(os.environ)
    model_url = stack.settings.get(LOCAL_MODEL_URL)
    local = {LOCAL_MODEL_URL: model_url} if model_url else {}
    return {**stack.demo_environ, **local, **os.environ}


def try_model(
    name: str,
    words: Sequence[str],
    environ: Mapping[str, str] = os.environ,
    publish_text: Callable[[str], None] = ignore_update,
) -> dict[str, Any]:
    """Return result, usage and cost of one call, and pass on its text while it arrives.

    Raises CommandFailed.
    """
    model = registry.find_model(name)
    if model is None:
        raise CommandFailed(f"There is no model '{name}' here.")
    typed = parse_inputs(words, {field.name: field.type.value for field in model.fields})
    try:
        values = check_call(model.fields, typed, strict=True, allow_http=True)
        _check_setup(model, environ)
        answer = asyncio.run(_call(model, values, environ, ModelCall(publish_text=publish_text)))
    except InvalidInputs as error:
        raise CommandFailed(f"'{error.context['field']}' {error.context['reason']}.") from error
    except NodeFailed as failure:
        raise CommandFailed(f"{failure.code}: {failure.message}") from failure
    used = {name: number for name, number in asdict(answer.usage).items() if number}
    cost = cost_micro_usd(model.pricing, answer.usage)
    micro_usd = cost if answer.micro_usd is None else answer.micro_usd
    return {"result": answer.value, "usd": Decimal(micro_usd) / 1_000_000, "used": used}


def _check_setup(model: Model, environ: Mapping[str, str]) -> None:
    """Raise CommandFailed for a missing variable: the operator may know it, API callers may not."""
    endpoint = model.call.endpoint
    if endpoint is None:
        return
    if not endpoint.place(environ):
        raise CommandFailed(endpoint.setup)
    name = endpoint.api_key_env
    if name and not environ.get(name, "").strip():
        raise CommandFailed(f"{name} is not set, which holds the provider's key.")


def schema_text() -> str:
    """Return the JSON Schema of manifests, as published."""
    return json.dumps(manifest_schema(), indent=2, ensure_ascii=False) + "\n"


def models_markdown() -> str:
    """Return all models as a Markdown table, with links to the sources of calls and prices."""
    rows = [
        ("Model", "Name", "Category", "From tier", "Price (USD)", "Protocol", "Prices"),
        ("---",) * 7,
        *(_cells(model) for model in registry.all_models()),
    ]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _cells(model: Model) -> tuple[str, ...]:
    is_ours = isinstance(model.call, BuiltinSection) or not model.call.endpoint.base_url
    prices = "; ".join(_price_text(price) for price in model.pricing if price.usd)
    return (
        f"`{model.internal_name}`",
        model.name.replace("|", "\\|"),
        model.category,
        f"`{model.tier}`",
        prices or "nothing",
        _page(model.source, "ours" if isinstance(model.call, BuiltinSection) else "not named"),
        _page(model.price_source, "ours" if is_ours else "**yours to set**"),
    )


def _page(url: str, otherwise: str) -> str:
    return f"[page]({url})" if url else otherwise


def _price_text(price: Price) -> str:
    """Return a price as a text, tokens by the million."""
    unit = price.unit.replace("_", " ")
    if price.unit in (Unit.INPUT_TOKEN, Unit.OUTPUT_TOKEN):
        return f"{(price.usd * MICRO).normalize():f} for a million {unit}s"
    if price.unit is Unit.INPUT_SECOND:
        return f"{price.usd:f} per second of what is sent"
    return f"{price.usd:f} per {unit}"


class _MediaDescriber(MediaStore):
    """Describes media that come as data instead of storing them."""

    async def read(
        self, account_id: str, url: str, max_bytes: int, owner_id: str = ""
    ) -> bytes | None:
        return None

    async def keep(self, account_id: str, data: bytes, content_type: str) -> StoredMedia:
        return StoredMedia(url=f"({len(data)} bytes of {content_type})")


async def _call(
    model: Model, values: dict[str, Any], environ: Mapping[str, str], model_call: ModelCall
) -> ModelAnswer:
    settings, media_store = load(), _MediaDescriber()
    egress = Egress(gate=AddressGate.for_providers(settings))
    pool, speech_pool = LocalPool(), SpeechPool()
    node_egress = Egress(
        gate=AddressGate.for_workflows(settings)
    )  # for media, which may come from the addresses open to nodes
    fetch = partial(fetch_media, account_id="", media_store=media_store, fetcher=node_egress)
    try:
        models = ModelCaller(
            egress,
            media_store=media_store,
            embed=pool.embed,
            speech=speech_pool,
            environ=environ,
        )
        return await models.call(model, values, replace(model_call, fetch_media=fetch))
    finally:
        await pool.close()
        await speech_pool.close()
        await node_egress.close()
        await egress.close()
