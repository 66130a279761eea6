"""A route's declaration determines its description."""

from typing import Annotated, Any

import httpx2
import jsonschema_rs
import pytest
from msgspec import UNSET, Meta, UnsetType
from starlette.responses import Response
from starlette.routing import Route, Router

from engine.errors import InvalidQuery, WorkflowNotFound
from engine.settings import Settings
from engine.store import Principal
from gateway.app import routes
from gateway.auth.endpoints import NO_BODY, operation, public, requires
from gateway.auth.guard import Endpoint
from gateway.auth.resource import Resource
from gateway.http.query import QueryParameters
from gateway.http.request_bodies import read_body
from gateway.http.responses import json_response
from gateway.http.types import Content, RequestBody, View, doc, refused
from gateway.openapi.document import endpoint_at, make_document
from gateway.routes.runs.runs import run_workflow
from gateway.services import GatewayRequest


class NotesQuery(QueryParameters):
    """Query of the list."""

    limit: Annotated[int, Meta(ge=1, le=500), doc("Rows of a page.", 20)] = 50


class NoteRequest(RequestBody):
    """A note to keep."""

    text: Annotated[str, Meta(max_length=20), refused("must be a text of at most 20 characters")]


class NoteView(View):
    """A note."""

    headers = {"ETag": "The version."}
    links = {"list_notes": {"limit": "length"}}

    text: str
    length: int
    folder: str | UnsetType = UNSET


NoteRequest.examples = (NoteRequest(text="Buy milk"),)
NoteView.examples = (NoteView(text="Buy milk", length=8),)
NOTE_LIST = Content(component="NoteList", kind=list[NoteView])
NOTE_ID = ("note_id", {"type": "string", "description": "The id of a note."})


@operation(query=NotesQuery, answers={200: NOTE_LIST}, errors=(InvalidQuery,))
@requires("workflow:read")
async def list_notes(request: GatewayRequest, principal: Principal) -> Response:
    """All notes."""
    return json_response([])


@operation(body=NoteRequest, answers={201: NoteView, 204: NO_BODY}, errors=(WorkflowNotFound,))
@public
async def create_note(request: GatewayRequest) -> Response:
    """Keep a note."""
    body = await read_body(request, NoteRequest)
    return json_response(NoteView(text=body.text, length=len(body.text)), 201)


@operation(path=(NOTE_ID,), answers={200: NoteView})
@public
async def get_note(request: GatewayRequest) -> Response:
    """One note."""
    return json_response(NoteView.examples[0])


ROUTES = [
    Route("/api/notes", Resource(GET=list_notes, POST=create_note)),
    Route("/api/notes/{note_id}", Resource(GET=get_note)),
]
DOCUMENT = make_document(ROUTES, "1")
NOTES = DOCUMENT["paths"]["/api/notes"]


def schema_at(name: str) -> Any:
    return DOCUMENT["components"]["schemas"][name]


def test_bodies_refer_to_components_with_their_examples() -> None:
    assert NOTES["get"]["responses"]["200"]["content"]["application/json"] == {
        "schema": {"$ref": "#/components/schemas/NoteList"},
        "examples": {"NoteList": {"$ref": "#/components/examples/NoteList"}},
    }
    assert NOTES["post"]["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/NoteRequest"
    }
    assert schema_at("NoteList") == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Note"},
    }
    assert schema_at("Note")["required"] == ["text", "length"]
    assert schema_at("NoteRequest")["properties"] == {"text": {"type": "string", "maxLength": 20}}
    assert DOCUMENT["components"]["examples"]["NoteList"] == {
        "value": [{"text": "Buy milk", "length": 8}]
    }


def test_an_answer_has_the_headers_and_links_of_its_type() -> None:
    answers = NOTES["post"]["responses"]

    assert answers["201"]["headers"]["ETag"]["description"] == "The version."
    assert answers["201"]["links"] == {
        "list_notes": {
            "operationId": "list_notes",
            "parameters": {"limit": "$response.body#/length"},
        }
    }
    assert answers["204"]["content"] == {}


def test_errors_are_those_declared_and_those_of_the_access() -> None:
    assert "WORKFLOW_NOT_FOUND" in NOTES["post"]["responses"]["404"]["description"]
    assert "401" not in NOTES["post"]["responses"]
    assert "CAPABILITY_DENIED" in NOTES["get"]["responses"]["403"]["description"]


def test_parameters_are_those_of_the_path_and_the_query() -> None:
    [limit] = NOTES["get"]["parameters"]
    [note_id] = DOCUMENT["paths"]["/api/notes/{note_id}"]["get"]["parameters"]

    assert (limit["name"], limit["in"], limit["required"]) == ("limit", "query", False)
    assert (note_id["name"], note_id["in"], note_id["required"]) == ("note_id", "path", True)
    assert limit["schema"] == {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}
    assert (limit["description"], limit["example"]) == ("Rows of a page.", 20)


def test_an_endpoint_without_a_description_is_left_out() -> None:
    bare = Route("/api/bare", Resource(GET=public(get_note.handler)))

    assert make_document([bare], "1")["paths"] == {}


def test_an_endpoint_is_found_by_its_path_and_method() -> None:
    found: Endpoint = endpoint_at(routes(Settings()), "/api/workflows/{slug}/run", "POST")

    assert found is run_workflow


@pytest.fixture
async def caller() -> httpx2.AsyncClient:
    """Return a client of the made-up routes, without services."""
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=Router(ROUTES)), base_url="http://notes"
    )


async def test_a_route_answers_as_it_is_described(caller: httpx2.AsyncClient) -> None:
    answer = await caller.get("/api/notes/1")

    jsonschema_rs.validator_for(schema_at("Note")).validate(answer.json())
