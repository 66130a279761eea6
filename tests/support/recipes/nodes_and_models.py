"""A made-up node type and a made-up model dialect."""

from tests.support.recipes.recipe import Addition, Recipe

NODE_TYPE = Recipe(
    name="node type",
    additions=(
        Addition(
            "engine/nodes/reverse_text.py",
            '''"""Reverse text: the letters of a text in the opposite order."""

from collections.abc import Mapping
from typing import Any

from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import Faults
from engine.values.sockets import Socket, SocketType


class ReverseText(NodeType):
    """Reverses the text at its input socket."""

    type = "reverseText"
    category = "Utilities"
    kind = WorkKind.PURE

    def read(self, data: Mapping[str, Any], faults: Faults) -> None:
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
from tests.support.nodes.node_context import FakeContext
from tests.support.nodes.node_sample import NodeSample

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

DIALECT = Recipe(
    name="model dialect",
    additions=(
        Addition(
            "engine/models/dialects/shouting.py",
            '''"""`[shouting]`: the prompt in capital letters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from engine.models.dialects.section_schema import Schema, section_schema
from engine.models.tables.table_reader import ManifestContext, TableReader
from engine.values.templates import Template

MEMBERS = ("ending",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShoutingSection:
    """The prompt in capital letters, with an ending."""

    name: ClassVar[str] = "shouting"
    json_schema: ClassVar[Schema] = section_schema(MEMBERS, ("ending",))
    endpoint: ClassVar[None] = None

    ending: str

    def texts(self, values: Mapping[str, Any]) -> Iterator[str]:
        """Give the only text."""
        yield f"{values['prompt']}{self.ending}".upper()

    def image_values(self, values: Mapping[str, Any]) -> None:
        """Return None: any image of the values counts."""

    def fixed_paths(self) -> Mapping[str, Template]:
        """Return nothing: no call leaves the worker."""
        return {}


def parse_shouting(table: Mapping[str, Any], context: ManifestContext) -> ShoutingSection:
    """Read the section. Raises SettingsError with every reason."""
    reader = TableReader(table, MEMBERS, context)
    section = ShoutingSection(ending=reader.text("ending"))
    reader.finish()
    return section
''',
        ),
        Addition(
            "engine/models/calls/call_sections.py",
            "from engine.models.dialects.shouting import ShoutingSection, parse_shouting\n",
            anchor="from engine.models.dialects.openai import OpenAISection, parse_openai\n",
        ),
        Addition(
            "engine/models/calls/call_sections.py",
            "ShoutingSection | ",
            anchor="Call = ",
        ),
        Addition(
            "engine/models/calls/call_sections.py",
            "    ShoutingSection.name: parse_shouting,\n",
            anchor="CALLS: dict[str, Parser] = {\n",
        ),
        Addition(
            "workers/providers/dialects/shouting.py",
            '''"""The dialect of `[shouting]`."""

from collections.abc import Mapping
from typing import Any, cast

from engine.models.dialects.shouting import ShoutingSection
from engine.models.manifest import Model
from engine.models.pricing import Usage
from workers.providers.base import CallContext, Dialect, ModelAnswer


class ShoutingDialect(Dialect):
    """Answers with the prompt in capital letters."""

    call = ShoutingSection

    async def answer(
        self, model: Model, values: Mapping[str, Any], call: CallContext
    ) -> ModelAnswer:
        [text] = cast(ShoutingSection, model.call).texts(values)
        return ModelAnswer(value=text, usage=Usage(calls=1))
''',
        ),
        Addition(
            "workers/providers/model_caller.py",
            "from workers.providers.dialects.shouting import ShoutingDialect\n",
            anchor="from workers.providers.dialects.openai import OpenAIDialect\n",
        ),
        Addition(
            "workers/providers/model_caller.py",
            "    ShoutingDialect(),\n",
            anchor="DIALECTS: tuple[Dialect, ...] = (\n",
        ),
        Addition(
            "tests/engine/models/dialects/test_shouting.py",
            """from engine.models.dialects.shouting import ShoutingSection
from engine.models.schema import manifest_schema
from tests.support.manifests import model


def test_a_manifest_may_have_the_section_and_its_schema_knows_it() -> None:
    assert model(call="[shouting]\\nending = '!'").call == ShoutingSection(ending="!")
    assert "shouting" in manifest_schema()["properties"]
""",
        ),
        Addition(
            "tests/workers/providers/dialects/test_shouting.py",
            """from tests.support.manifests import model
from workers.providers.model_caller import ModelCaller


async def test_a_prompt_is_answered_in_capital_letters() -> None:
    shouting = model(call="[shouting]\\nending = '!'")

    answer = await ModelCaller().call(shouting, {"prompt": "Ada"})

    assert answer.value == "ADA!"
""",
        ),
    ),
    checks=(
        "tests/engine/models/dialects/test_shouting.py",
        "tests/workers/providers/dialects/test_shouting.py",
        "tests/workers/providers/test_model_caller.py::test_every_way_to_be_called_has_a_dialect",
        "tests/test_layout.py::test_a_module_has_a_test_module_of_its_name_or_a_reason",
    ),
)
