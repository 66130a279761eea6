"""Dialect of any HTTP API that a manifest describes: one call, or a job that is polled."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from engine.models.dialects.http import HttpSection, MediaSection
from engine.models.manifest import Category, Model
from engine.values.templates import to_json
from workers.providers.answers.errors import bad_response
from workers.providers.answers.usage import count_usage, seconds_of
from workers.providers.base import CallContext, Dialect, ModelAnswer, StoredMedia
from workers.providers.jobs import run_job
from workers.providers.media import keep_base64, keep_url, one_or_all, with_data
from workers.providers.provider_client import MAX_BYTES, MAX_MEDIA_BYTES, ProviderClient


class HttpDialect(Dialect):
    """Calls models whose manifests have `[http]`."""

    call = HttpSection

    async def answer(
        self, model: Model, values: Mapping[str, Any], call: CallContext
    ) -> ModelAnswer:
        section = cast(HttpSection, model.call)
        client = client_of(section, call)
        if not call.is_under_way:
            values = await with_data(section.inline, model, values, call)
        if section.job is None:
            reply = await _call(section, values, client, call)
        else:
            reply = await run_job(section, section.job, values, client, call)
        found, maximum = _find_result(section, reply), model.max_usage(values)
        paths_by_name = {name: (path,) for name, path in section.usage.items()}
        if model.category is Category.TEXT:
            text = client.redact(_join(found))
            return ModelAnswer(value=text, usage=count_usage(reply, paths_by_name, maximum))
        stored = await _keep(section, found, call)
        images = len(stored) if model.category is Category.IMAGE else None
        usage = count_usage(
            reply, paths_by_name, maximum, images=images, seconds=seconds_of(stored)
        )
        return ModelAnswer(value=one_or_all(stored), usage=usage)


def client_of(section: HttpSection, call: CallContext) -> ProviderClient:
    """Return the client for the section's provider."""
    return ProviderClient(
        section.endpoint, call, error=section.error, status_code=section.status_code
    )


async def _call(
    section: HttpSection, values: Mapping[str, Any], client: ProviderClient, call: CallContext
) -> Any:
    path, body = section.request(values)
    max_bytes = MAX_MEDIA_BYTES if section.media is MediaSection.BASE64 else MAX_BYTES
    return await client.fetch_json(section.method, path, body, key=call.key, max_bytes=max_bytes)


def _find_result(section: HttpSection, reply: Any) -> list[Any]:
    found = next((each for path in section.result if (each := _flat(path.find(reply)))), None)
    if not found:
        raise bad_response("has no result where its manifest says that it is")
    return found


def _join(found: Sequence[Any]) -> str:
    """Return the texts as one; numbers, such as a vector, as a JSON list."""
    if all(isinstance(each, int | float) for each in found):
        return to_json(found)
    if not all(isinstance(each, str) for each in found):
        raise bad_response("has no text where its manifest says that it is")
    return "".join(found)


async def _keep(section: HttpSection, found: Sequence[Any], call: CallContext) -> list[StoredMedia]:
    if section.media is MediaSection.BASE64:
        return [await keep_base64(each, section.content_type, call) for each in found]
    return [await keep_url(each, call) for each in found]


def _flat(found: list[Any]) -> list[Any]:
    """Return the found values with lists flattened."""
    flat: list[Any] = []
    for each in found:
        flat.extend(each if isinstance(each, list) else [each])
    return flat
