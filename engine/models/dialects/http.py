"""`[http]`: any provider, by one request or by a job that is submitted and polled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from engine.models.calls.answer_paths import Path
from engine.models.calls.body_templates import Body
from engine.models.dialects.endpoint import ENDPOINT_MEMBERS, ProviderEndpoint, read_endpoint
from engine.models.dialects.section_schema import (
    ANSWER_PATH,
    ANSWER_PATHS,
    PLACED,
    TEXT,
    Schema,
    described,
    section_schema,
    table_schema,
)
from engine.models.tables.table_reader import ManifestContext, TableReader
from engine.values.templates import Template, to_json, to_text

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
HTTP_MEMBERS = (
    *("method", "path", "body", "as_text", "inline", "result", "media", "content_type"),
    *("error", "status_code", "usage", "job"),
)
MEMBERS = (*ENDPOINT_MEMBERS, *HTTP_MEMBERS)
JOB_MEMBERS = (
    *("id", "path", "status", "done", "failed", "error", "progress"),
    *("result_path", "cancel_path", "cancel_method", "resubmit"),
)
USAGE_MEMBERS = ("images", "seconds", "input_tokens", "output_tokens")
TEXTS: Schema = {"type": "array", "items": TEXT, "minItems": 1}
STATUSES: Schema = {"type": "array", "items": {"type": ["string", "integer"]}, "minItems": 1}
JOB = "job"
"""Name of the job's id in the templates of its paths."""


class MediaSection(StrEnum):
    """Form of media in the answer."""

    URL = "url"
    BASE64 = "base64"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSection:
    """Polling of a provider's job until it has ended."""

    json_schema: ClassVar[Schema] = section_schema(
        JOB_MEMBERS,
        ("id", "path", "status", "done", "failed"),
        **dict.fromkeys(("status", "error", "progress"), ANSWER_PATH),
        id=described(ANSWER_PATH, "Path of the job's id in the answer to the submit."),
        path=described(TEXT, "Path that is polled; contains {{ job }}."),
        done=described(STATUSES, "Statuses of success."),
        failed=described(STATUSES, "Statuses of failure."),
        result_path=described(TEXT, "Path of the result, where the last answer lacks it."),
        cancel_path=described(TEXT, "Path that cancels the job."),
        cancel_method={"enum": list(METHODS)},
        resubmit=described(
            {"type": "boolean"},
            "Submit a job again that may have begun: the provider may make and charge two.",
            default=False,
        ),
    )

    id: Path
    path: Template
    status: Path
    done: frozenset[str]
    failed: frozenset[str]
    error: Path | None
    """Path of an error message that marks a job as failed despite a status in `done`."""
    progress: Path | None
    """Path of the progress, from 0 to 1 or in percent."""
    result_path: Template | None
    """URL path of the result, unless the last answer contains it."""
    cancel_path: Template | None
    cancel_method: str
    resubmit: bool
    """A job that may have started, but whose id is unknown, is submitted again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSection:
    """One request, whose answer has the result or starts a job."""

    name: ClassVar[str] = "http"
    json_schema: ClassVar[Schema] = (
        section_schema(
            MEMBERS,
            ("path", "result"),
            "Any HTTP API",
            method=described({"enum": list(METHODS)}, "By default POST."),
            path=described(TEXT, "Begins with '/'; may contain {{ field }}."),
            media=described({"enum": list(MediaSection)}, "Form of media in the answer."),
            content_type=described(TEXT, "Content type of media as base64."),
            as_text=described(TEXTS, "Fields whose values are sent as texts."),
            inline=described(TEXTS, "Fields whose media are sent as data."),
            result=described(ANSWER_PATHS, "Paths of the result, such as data[].url."),
            error=described(ANSWER_PATHS, "Paths of an error; the first with a text counts."),
            status_code=described(ANSWER_PATH, "Path of a status that counts before the answer's."),
            usage=table_schema(dict.fromkeys(USAGE_MEMBERS, ANSWER_PATH)),
            job=JobSection.json_schema,
        )
        | PLACED
    )

    endpoint: ProviderEndpoint
    method: str
    path: Template
    body: Body
    as_text: tuple[str, ...]
    """Fields whose values are converted to texts."""
    inline: tuple[str, ...]
    """Fields whose media are sent inline, as objects with `type` and `data` (base64)."""
    result: tuple[Path, ...]
    media: MediaSection
    content_type: str
    """Content type of inline media in the answer."""
    error: tuple[Path, ...]
    """Paths of an error message."""
    status_code: Path | None
    """Path of a status code that overrides the answer's own."""
    usage: Mapping[str, Path]
    """Paths of the usage, by the names of `Usage`."""
    job: JobSection | None

    def request(self, values: Mapping[str, Any]) -> tuple[str, Any]:
        """Return path and body of the request; the body may be None. Raises NodeFailed."""
        texts = {name: to_text(values[name]) for name in self.as_text if name in values}
        values = {**values, **texts}
        body = None if self.method == "GET" else self.body.fill(values) or {}
        return self.path.render_url(values), body

    def texts(self, values: Mapping[str, Any]) -> Iterator[str]:
        """Yield the path and the body of the request. Raises NodeFailed."""
        path, body = self.request(values)
        yield path
        yield to_json(body)

    def image_values(self, values: Mapping[str, Any]) -> None:
        """Return None: any image of the values counts."""

    def fixed_paths(self) -> Mapping[str, Template]:
        """Return the paths of the manifest, by member."""
        paths = {"path": self.path}
        if self.job is not None:
            more = ("path", "result_path", "cancel_path")
            job_paths = {f"job.{name}": getattr(self.job, name) for name in more}
            paths |= {name: path for name, path in job_paths.items() if path is not None}
        return paths


def parse_http(table: Mapping[str, Any], context: ManifestContext) -> HttpSection:
    """Read the section. Raises SettingsError with every reason."""
    reader = TableReader(table, MEMBERS, context)
    reader.require("result")
    job = _read_job(reader)
    section = HttpSection(
        endpoint=read_endpoint(reader, timeout_seconds=600.0 if job else 300.0),
        method=reader.text("method", "POST", METHODS),
        path=reader.route("path"),
        body=reader.body("body"),
        as_text=reader.texts("as_text") if reader.has("as_text") else (),
        inline=reader.media("inline"),
        result=reader.paths("result"),
        media=_read_media(reader),
        content_type=reader.text("content_type", "application/octet-stream"),
        error=reader.paths("error"),
        status_code=reader.path("status_code"),
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
        id=job.path("id") or nowhere,
        path=job.route("path"),
        status=job.path("status") or nowhere,
        done=frozenset(job.texts("done")),
        failed=frozenset(job.texts("failed")),
        error=job.path("error"),
        progress=job.path("progress"),
        result_path=job.route("result_path") if job.has("result_path") else None,
        cancel_path=job.route("cancel_path") if job.has("cancel_path") else None,
        cancel_method=job.text("cancel_method", "POST", METHODS),
        resubmit=job.flag("resubmit", default=False),
    )


def _read_usage(reader: TableReader) -> Mapping[str, Path]:
    usage = reader.table("usage", USAGE_MEMBERS)
    if usage is None:
        return {}
    paths = ((name, usage.path(name)) for name in USAGE_MEMBERS)
    return {name: path for name, path in paths if path is not None}
