"""A made-up route and a made-up error code."""

from tests.support.recipes.recipe import Addition, Recipe

ROUTE = Recipe(
    name="route",
    additions=(
        Addition(
            "gateway/routes/workflows/notes.py",
            '''"""Notes: texts that an account keeps."""

from starlette.responses import Response
from starlette.routing import Route

from gateway.auth.endpoints import operation, public
from gateway.auth.resource import Resource
from gateway.http.responses import json_response
from gateway.http.types import View
from gateway.services import GatewayRequest


class NoteView(View):
    """A note."""

    text: str


NoteView.examples = (NoteView(text="Buy milk"),)


@operation(answers={200: NoteView})
@public
async def get_note(request: GatewayRequest) -> Response:
    """The note of the day."""
    return json_response(NoteView(text="Buy milk"))


routes = [Route("/api/note", Resource(GET=get_note))]
''',
        ),
        Addition("gateway/app.py", "    notes,\n", anchor="    node_types,\n"),
        Addition("gateway/app.py", "        *notes.routes,\n", anchor="        *models.routes,\n"),
        Addition(
            "tests/contract/workflows/test_notes.py",
            """from types import SimpleNamespace

import httpx2
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from engine.settings import Settings
from gateway.admission.memory import ResultMemory
from gateway.app import routes

ROUTES = {"GET /api/note": "public"}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    scope["state"] = {"services": SimpleNamespace(result_memory=ResultMemory())}
    await Router(routes(Settings()))(scope, receive, send)


async def test_the_note_is_answered_and_described() -> None:
    transport = httpx2.ASGITransport(app=application)
    async with httpx2.AsyncClient(transport=transport, base_url="http://notes") as client:
        note = await client.get("/api/note")
        document = (await client.get("/openapi.json")).json()

    assert note.json() == {"text": "Buy milk"}
    assert document["paths"]["/api/note"]["get"]["operationId"] == "get_note"
    assert document["components"]["examples"]["Note"] == {"value": {"text": "Buy milk"}}
""",
        ),
    ),
    checks=(
        "tests/contract/workflows/test_notes.py",
        "tests/gateway/auth/test_principal.py::test_a_contract_test_names_each_route_and_its"
        "_requirement",
        "tests/gateway/openapi/test_document_api.py::test_an_example_is_one_of_its_type",
        "tests/test_layout.py::test_a_module_has_a_test_module_of_its_name_or_a_reason",
    ),
)

ERROR_CODE = Recipe(
    name="error code",
    additions=(
        Addition(
            "engine/errors/conflicts.py",
            '''class NoteLocked(Conflict):
    """Another caller changes the note at this moment."""

    code = "NOTE_LOCKED"

    def __init__(self, note: str) -> None:
        super().__init__("Another caller changes this note", note=note)


NoteLocked.examples = (NoteLocked("note_1"),)


''',
            anchor='    code = "CONFLICT"\n\n\n',
        ),
        Addition(
            "docs/reference/errors.md",
            "| 409 | `NOTE_LOCKED` | Another caller changes the note at this moment. | `note` |\n",
            anchor="| Status | Code | When | Members |\n|---|---|---|---|\n",
        ),
    ),
    checks=(
        "tests/deploy/test_docs.py::test_every_error_code_is_documented",
        "tests/gateway/http/test_errors.py::test_every_error_below_the_root_has_a_status",
        "tests/gateway/openapi/test_document_api.py::test_every_error_that_callers_see_has_an"
        "_example",
        "tests/gateway/openapi/test_document_api.py::test_every_code_is_one_that_some_operation"
        "_or_no_operation_at_all_answers",
        "tests/gateway/openapi/test_document_api.py::test_the_page_of_errors_says_the_same",
    ),
    raised_by=(
        Addition(
            "gateway/routes/usage/usage.py", "NoteLocked, ", anchor="from engine.errors import "
        ),
        Addition("gateway/routes/usage/usage.py", "NoteLocked, ", anchor="errors=("),
    ),
)
