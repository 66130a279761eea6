"""The stub as an application: paths, protocols and handlers."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.stub_provider.calls import CallCounters
from deploy.stub_provider.contents.files import make_file
from deploy.stub_provider.dialects import (
    ANTHROPIC,
    ARK,
    FAL,
    GEMINI,
    OPENAI,
    REPLICATE,
    SUNO,
    StubDialect,
)
from deploy.stub_provider.endpoint import Handler, Stub, StubEndpoint
from deploy.stub_provider.exchange import StubAnswer, StubRequest
from deploy.stub_provider.jobs import Jobs
from deploy.stub_provider.limits import CredentialLimits, LimitOptions
from deploy.stub_provider.protocols import (
    anthropic,
    ark,
    gemini,
    job_protocols,
    openai_audio,
    openai_media,
    openai_text,
    suno,
)
from deploy.stub_provider.script import read_script

Entry = tuple[str, str, StubDialect, Handler]


def _file(request: StubRequest, stub: Stub) -> StubAnswer:
    file = make_file(request.path["name"])
    return StubAnswer(chunks=(file.data,), content_type=file.content_type)


LIMITED: tuple[Entry, ...] = (
    ("POST", "/v1/chat/completions", OPENAI, openai_text.complete),
    ("POST", "/v1/embeddings", OPENAI, openai_text.embed),
    ("POST", "/v1/images/generations", OPENAI, openai_media.make_images),
    ("POST", "/v1/images/edits", OPENAI, openai_media.edit_images),
    ("POST", "/v1/audio/speech", OPENAI, openai_audio.speak),
    ("POST", "/v1/audio/transcriptions", OPENAI, openai_audio.transcribe),
    ("POST", "/v1/messages", ANTHROPIC, anthropic.message),
    ("POST", "/jobs", REPLICATE, job_protocols.submit),
    ("POST", "/v1/predictions", REPLICATE, job_protocols.submit),
    ("POST", "/v1/models/{owner}/{name}/predictions", REPLICATE, job_protocols.submit),
    ("POST", "/fal/{model:path}", FAL, job_protocols.queue),
    ("POST", "/v1beta/models/{model}:generateContent", GEMINI, gemini.generate_content),
    ("POST", "/api/v3/images/generations", ARK, ark.make_images),
    ("POST", "/api/v3/contents/generations/tasks", ARK, ark.create_task),
    ("POST", "/api/v1/generate", SUNO, suno.generate),
)
"""Handlers whose calls count towards the limits."""

FREE: tuple[Entry, ...] = (
    ("GET", "/v1/models", OPENAI, openai_text.list_models),
    ("GET", "/v1/models/{model:path}", OPENAI, openai_text.show_model),
    ("GET", "/jobs/{id}", REPLICATE, job_protocols.show),
    ("POST", "/jobs/{id}/cancel", REPLICATE, job_protocols.cancel),
    ("GET", "/v1/predictions/{id}", REPLICATE, job_protocols.show),
    ("POST", "/v1/predictions/{id}/cancel", REPLICATE, job_protocols.cancel),
    ("GET", "/fal/{model:path}/requests/{id}/status", FAL, job_protocols.queue_status),
    ("GET", "/fal/{model:path}/requests/{id}", FAL, job_protocols.queue_response),
    ("PUT", "/fal/{model:path}/requests/{id}/cancel", FAL, job_protocols.queue_cancel),
    ("GET", "/api/v3/contents/generations/tasks/{id}", ARK, ark.show_task),
    ("DELETE", "/api/v3/contents/generations/tasks/{id}", ARK, ark.delete_task),
    ("GET", "/api/v1/generate/record-info", SUNO, suno.show_record),
    ("GET", "/files/{name}", REPLICATE, _file),
)


def create_app(limits: LimitOptions | None = None, script: str = "") -> Starlette:
    """Return the application; `script` applies to every call. Raises StubRefused."""
    read_script(script)
    stub = Stub(
        calls=CallCounters(),
        limits=CredentialLimits(limits or LimitOptions()),
        jobs=Jobs(),
        script=script,
    )
    routes = [_route(stub, entry, is_limited=True) for entry in LIMITED]
    routes += [_route(stub, entry, is_limited=False) for entry in FREE]
    app = Starlette(
        routes=[*routes, *_inspection(stub)],
        exception_handlers={HTTPException: _not_served},
    )
    app.router.redirect_slashes = False
    return app


def _route(stub: Stub, entry: Entry, *, is_limited: bool) -> Route:
    method, path, dialect, handler = entry
    endpoint = StubEndpoint(
        path=path, stub=stub, dialect=dialect, handler=handler, is_limited=is_limited
    )
    return Route(path, endpoint, methods=[method])


def _inspection(stub: Stub) -> list[Route]:
    async def calls(request: Request) -> Response:
        return JSONResponse(stub.calls.report())

    async def reset(request: Request) -> Response:
        stub.calls.forget()
        stub.jobs.forget()
        stub.limits.forget()
        return JSONResponse({"success": True})

    return [
        Route("/stub/calls", calls, methods=["GET"]),
        Route("/stub/reset", reset, methods=["POST"]),
    ]


def _not_served(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = f"(stub) {request.method} {request.url.path} is not served here."
    body = {"error": {"message": message, "type": "invalid_request_error", "code": None}}
    return JSONResponse(body, status, headers={"x-stub-provider": "headrace"})
