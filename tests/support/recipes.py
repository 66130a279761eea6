"""Made-up additions to the tree, each by the files that its recipe names.

The page `docs/contributing/recipes.md` has the recipes; `tests/test_recipes.py` follows them.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("engine", "gateway", "workers", "deploy", "tests", "docs", "pyproject.toml")
OWN_VARIABLES = ("PYTEST_", "COV_", "COVERAGE_", "HEADRACE_")
"""Beginnings of variables that a test run in a copy does not inherit."""


@dataclass(frozen=True, slots=True)
class Addition:
    """A new file, or text that follows an anchor in an existing file."""

    path: str
    text: str
    anchor: str = ""

    def apply(self, root: Path) -> None:
        """Add the text to the tree. Raises ValueError when the anchor is not there once."""
        target = root / self.path
        if not self.anchor:
            target.write_text(self.text)
            return
        before, anchor, rest = (source := target.read_text()).partition(self.anchor)
        if source.count(self.anchor) != 1:
            raise ValueError(f"{self.path} does not contain {self.anchor!r} once")
        target.write_text(before + anchor + self.text + rest)


@dataclass(frozen=True, slots=True)
class Recipe:
    """Additions that belong together, and the tests that notice them or their absence."""

    name: str
    additions: Sequence[Addition]
    checks: Sequence[str]
    raised_by: Sequence[Addition] = ()
    """The user of the addition, where the recipe leaves it out of the count."""

    @property
    def files(self) -> set[str]:
        """The files that the recipe names."""
        return {each.path for each in self.additions}


NODE_TYPE = Recipe(
    name="node type",
    additions=(
        Addition(
            "engine/nodes/reverse_text.py",
            '''"""Reverse text: the letters of a text in the opposite order."""

from collections.abc import Mapping
from typing import Any

from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.values.sockets import Socket, SocketType


class ReverseText(NodeType):
    """Reverses the text at its input socket."""

    type = "reverseText"
    category = "Utilities"
    kind = WorkKind.PURE

    def parse(self, data: Mapping[str, Any]) -> None:
        return None

    def inputs(self, settings: None) -> Mapping[str, Socket]:
        return {"text-in": Socket(type=SocketType.TEXT)}

    def outputs(self, settings: None) -> Mapping[str, Socket]:
        return {"text-out": Socket(type=SocketType.TEXT)}

    async def run(self, settings: None, inputs: Mapping[str, Any], context: Context) -> Outputs:
        return {"text-out": inputs.get("text-in", "")[::-1]}
''',
        ),
        Addition(
            "engine/nodes/__init__.py",
            "from engine.nodes.reverse_text import ReverseText\n",
            anchor="from engine.nodes.response_output import ResponseOutput\n",
        ),
        Addition("engine/nodes/__init__.py", "    ReverseText(),\n", anchor="    TextBox(),\n"),
        Addition(
            "docs/reference/node-types.md",
            "| `reverseText` | `text-in` | `text-out` | – |\n",
            anchor="|---|---|---|---|\n",
        ),
        Addition(
            "tests/engine/nodes/test_reverse_text.py",
            """from engine.graph.plan import check_graph
from engine.nodes.reverse_text import ReverseText
from engine.nodes.support.base import WorkKind
from tests.support.node_context import FakeContext
from tests.support.node_sample import NodeSample

SAMPLES = {"reverseText": NodeSample(WorkKind.PURE, "Utilities", {})}


async def test_a_text_is_reversed() -> None:
    outputs = await ReverseText().run(None, {"text-in": "Ada"}, FakeContext())

    assert outputs == {"text-out": "adA"}


def test_a_graph_with_it_can_be_saved() -> None:
    nodes = [
        {"id": "text", "type": "textBox", "data": {"text": "Ada"}},
        {"id": "reverse", "type": "reverseText", "data": {}},
        {"id": "out", "type": "responseOutput", "data": {}},
    ]
    edges = [
        edge("text", "text-out", "reverse", "text-in"),
        edge("reverse", "text-out", "out", "result-in"),
    ]

    assert check_graph(nodes, edges) == []


def edge(source: str, output: str, target: str, socket: str) -> dict[str, str]:
    return {
        "id": f"{source}-{target}",
        "source": source,
        "sourceHandle": output,
        "target": target,
        "targetHandle": socket,
    }
""",
        ),
    ),
    checks=(
        "tests/engine/nodes/test_reverse_text.py",
        "tests/engine/nodes/test_node_types.py::test_each_node_type_is_in_the_registry_once"
        "_and_has_a_sample",
        "tests/engine/nodes/test_node_types.py::test_its_kind_and_category_are_those_of_the"
        "_contract",
        "tests/deploy/test_docs.py::test_every_node_type_is_documented",
        "tests/test_layout.py::test_a_module_has_a_test_module_of_its_name_or_a_reason",
    ),
)

ROUTE = Recipe(
    name="route",
    additions=(
        Addition(
            "gateway/routes/notes.py",
            '''"""Notes: texts that an account keeps."""

from starlette.responses import Response
from starlette.routing import Route

from gateway.auth.endpoints import Resource, operation, public
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
        Addition("gateway/app.py", "    notes,\n", anchor="    models,\n"),
        Addition("gateway/app.py", "        *notes.routes,\n", anchor="        *models.routes,\n"),
        Addition(
            "tests/contract/test_notes.py",
            """from types import SimpleNamespace

import httpx2
from starlette.routing import Router
from starlette.types import Receive, Scope, Send

from engine.settings import Settings
from gateway.admission.memory import ResultMemory
from gateway.app import routes

ROUTES = {"GET /api/note": "public"}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    scope["state"] = {"services": SimpleNamespace(memory=ResultMemory())}
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
        "tests/contract/test_notes.py",
        "tests/gateway/auth/test_principal.py::test_a_contract_test_names_each_route_and_its"
        "_demand",
        "tests/gateway/openapi/test_document_api.py::test_all_that_is_sent_and_answered_has"
        "_examples_that_fit",
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
        Addition("gateway/routes/usage.py", "NoteLocked, ", anchor="from engine.errors import "),
        Addition("gateway/routes/usage.py", "NoteLocked, ", anchor="errors=("),
    ),
)

SETTING = Recipe(
    name="setting",
    additions=(
        Addition(
            "engine/settings.py",
            '    is_read_only: bool = False\n    """Answer executions and metrics alone."""\n',
            anchor="    port: int = 8000\n",
        ),
        Addition(
            "gateway/app.py",
            "    if settings.is_read_only:\n        return [*executions.routes, *metrics]\n",
            anchor="    metrics = [] if settings.metrics_port else health.metrics_routes\n",
        ),
        Addition(
            "docs/reference/settings.md",
            "| `HEADRACE_IS_READ_ONLY` | `0` | 1: only executions and metrics are answered. |\n",
            anchor="| Variable | Default | Meaning |\n|---|---|---|\n",
        ),
    ),
    checks=(
        "tests/engine/test_settings.py::test_every_field_can_be_set_by_its_variable",
        "tests/deploy/test_docs.py::test_every_setting_is_documented_with_its_default",
    ),
)

RECIPES = (NODE_TYPE, ROUTE, ERROR_CODE, SETTING)


def copy_tree(target: Path) -> None:
    """Copy the sources, their bytecode and the documentation."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name)
        else:
            shutil.copy2(source, target)


def follow(recipes: Sequence[Recipe], root: Path, left_out: Collection[str] = ()) -> None:
    """Make the additions of the recipes, except in the files that are left out."""
    for recipe in recipes:
        for addition in (*recipe.additions, *recipe.raised_by):
            if addition.path not in left_out:
                addition.apply(root)


def failing(recipes: Sequence[Recipe], root: Path) -> set[str]:
    """Run the checks of the recipes in a tree, in a process of its own.

    Return the names of the test functions that fail, and the modules that cannot be imported.
    """
    checks = {check for each in recipes for check in each.checks}
    present = sorted(check for check in checks if (root / check.split("::")[0]).exists())
    environ = {key: value for key, value in os.environ.items() if not key.startswith(OWN_VARIABLES)}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider"]
        + ["-p", "no:xdist", "--continue-on-collection-errors", *present],
        cwd=root,
        env=environ,
        capture_output=True,
        text=True,
        timeout=240,
    )
    found = set(re.findall(r"^(?:FAILED|ERROR) (?:\S+::)?([^\s\[]+)", run.stdout, re.MULTILINE))
    if bool(run.returncode) is not bool(found):
        raise RuntimeError(run.stdout + run.stderr)
    return found
