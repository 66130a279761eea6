"""`[http]`: any provider, by one call or by a job that is submitted and asked after."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from engine.models.answer_paths import Path
from engine.models.body_templates import Body
from engine.models.dialects.endpoint import ENDPOINT_MEMBERS, ProviderEndpoint, read_endpoint
from engine.models.table_reader import ManifestContext, TableReader
from engine.values.templates import Template, to_text

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
HTTP_MEMBERS = (
    *("method", "path", "body", "as_text", "inline", "result", "media", "content_type"),
    *("error", "status_code", "usage", "job"),
)
JOB_MEMBERS = (
    *("id", "path", "status", "done", "failed", "error", "progress"),
    *("result_path", "cancel_path", "cancel_method", "resubmit"),
)
USAGE_MEMBERS = ("images", "seconds", "input_tokens", "output_tokens")
JOB = "job"
"""How the job's id is called in the templates of its paths."""


class MediaSection(StrEnum):
    """How pictures, videos and sounds come."""

    URL = "url"
    BASE64 = "base64"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSection:
    """How a provider's job is asked after, until it has ended."""

    id: Path
    path: Template
    status: Path
    done: frozenset[str]
    failed: frozenset[str]
    error: Path | None
    """Where a text stands when the job has failed, though its status says that it is done."""
    progress: Path | None
    """A share from 0 to 1, or percents."""
    result_path: Template | None
    """Where the result is fetched, when it is not in the answer that says that it is done."""
    cancel_path: Template | None
    cancel_method: str
    resubmit: bool
    """Whether a job that may have begun, but whose id is not known, is submitted once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSection:
    """One request; what it gives is the result, or a job that comes to have one."""

    endpoint: ProviderEndpoint
    method: str
    path: Template
    body: Body
    as_text: tuple[str, ...]
    """The fields whose values the provider wants as texts, whatever they are."""
    inline: tuple[str, ...]
    """The fields whose media go as data: each is an object with `type` and `data` (base64)."""
    result: tuple[Path, ...]
    media: MediaSection
    content_type: str
    """Of media that come as data."""
    error: tuple[Path, ...]
    """Where a sentence stands about what went wrong."""
    status_code: Path | None
    """Where a status stands that counts in place of the answer's own."""
    usage: Mapping[str, Path]
    """Where it stands what was used, by the names of `Usage`."""
    job: JobSection | None

    def request(self, values: Mapping[str, Any]) -> tuple[str, Any]:
        """The path and the body of the call, None for none. Raises NodeFailed."""
        texts = {name: to_text(values[name]) for name in self.as_text if name in values}
        values = {**values, **texts}
        body = None if self.method == "GET" else self.body.fill(values) or {}
        return self.path.render_url(values), body


def parse_http(table: Mapping[str, Any], about: ManifestContext) -> HttpSection:
    """Read the section. Raises SettingsError with every reason."""
    reader = TableReader(table, (*ENDPOINT_MEMBERS, *HTTP_MEMBERS), about)
    reader.require("result")
    job = _read_job(reader)
    section = HttpSection(
        endpoint=read_endpoint(reader, timeout_seconds=600.0 if job else 300.0),
        method=reader.text("method", "POST", METHODS),
        path=reader.route("path"),
        body=reader.body("body"),
        as_text=reader.texts("as_text") if reader.has("as_text") else (),
        inline=reader.media("inline"),
        result=reader.ways("result"),
        media=_read_media(reader),
        content_type=reader.text("content_type", "application/octet-stream"),
        error=reader.ways("error"),
        status_code=reader.way("status_code"),
        usage=_read_usage(reader),
        job=job,
    )
    reader.finish()
    return section


def _read_media(reader: TableReader) -> MediaSection:
    text = reader.text("media", MediaSection.URL, tuple(MediaSection))
    return MediaSection(text) if text in tuple(MediaSection) else MediaSection.URL


def _read_job(reader: TableReader) -> JobSection | None:
    job = reader.table("job", JOB_MEMBERS, extra=(JOB,))
    if job is None:
        return None
    for key in ("id", "status"):
        job.require(key)
    nowhere = Path(())
    return JobSection(
        id=job.way("id") or nowhere,
        path=job.route("path"),
        status=job.way("status") or nowhere,
        done=frozenset(job.texts("done")),
        failed=frozenset(job.texts("failed")),
        error=job.way("error"),
        progress=job.way("progress"),
        result_path=job.route("result_path") if job.has("result_path") else None,
        cancel_path=job.route("cancel_path") if job.has("cancel_path") else None,
        cancel_method=job.text("cancel_method", "POST", METHODS),
        resubmit=job.flag("resubmit", default=False),
    )


def _read_usage(reader: TableReader) -> Mapping[str, Path]:
    usage = reader.table("usage", USAGE_MEMBERS)
    if usage is None:
        return {}
    ways = ((name, usage.way(name)) for name in USAGE_MEMBERS)
    return {name: way for name, way in ways if way is not None}
