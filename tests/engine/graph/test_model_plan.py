"""Plan of a run of one model: its fields, one call, and a result by category."""

import pytest

from engine.errors import InvalidGraph
from engine.executions.statuses import NodeStatus
from engine.graph.model_plan import model_plan
from engine.graph.plan import Plan
from engine.graph.progress import Progress
from engine.models.manifest import Category, Model
from engine.models.registry import find_model, use_models
from engine.nodes.support.base import InEdge
from engine.process.lru_cache import LruCache
from engine.values.sockets import SocketType
from tests.support.manifests import model
from tests.support.nodes.node_context import FakeContext

FIELDS = """
[[fields]]
name = "prompt"
type = "text"
label = "What to paint"
required = true
maxLength = 100

[[fields]]
name = "a photo"
type = "image"

[[fields]]
name = "params"
type = "json"
default = {a = [1]}

[[fields]]
name = "model"
type = "slider"
min = 1
max = 3
required = true
"""


def test_it_asks_for_the_fields_of_the_model_and_charges_for_it() -> None:
    own = model(fields=FIELDS)

    with use_models([own]):
        plan = model_plan(own)

    assert plan.fields == own.fields
    assert [node.type.type for node in plan.nodes] == [
        "requestInput",
        "customModel",
        "responseOutput",
    ]
    assert plan.reachable == {0, 1, 2}
    assert plan.nodes[1].type.model(plan.nodes[1].settings) == "own"
    assert plan.nodes[1].in_edges == (
        InEdge(socket="prompt-in", source=0, output="prompt", type=SocketType.TEXT),
        InEdge(socket="a photo-in", source=0, output="a photo", type=SocketType.IMAGE),
        InEdge(socket="params-in", source=0, output="params", type=SocketType.ANY),
    )


async def test_what_callers_give_is_what_the_model_gets() -> None:
    own = model(fields=FIELDS)
    with use_models([own]):
        plan = model_plan(own)
    given = {"prompt": "a cat", "model": 2, "params": {"a": [1]}}
    context = FakeContext(inputs=given)
    progress = Progress(plan, [NodeStatus.PENDING] * 3)

    with use_models([own]):
        for index in (0, 1):
            node = plan.nodes[index]
            inputs = progress.inputs(index, progress.delivered(index))
            progress.settle(
                index, NodeStatus.COMPLETED, await node.type.run(node.settings, inputs, context)
            )

    assert context.model_values == [given]


@pytest.mark.parametrize(
    ("category", "result"),
    [
        (Category.TEXT, {"text": "own 1"}),
        (Category.IMAGE, {"images": ["own 1"]}),
        (Category.VIDEO, {"videos": ["own 1"]}),
        (Category.AUDIO, {"audios": ["own 1"]}),
    ],
)
async def test_the_result_has_the_shape_of_the_category(
    category: Category, result: dict[str, object]
) -> None:
    own = model(category=category.value)
    with use_models([own]):
        plan = model_plan(own)
    progress = Progress(plan, [NodeStatus.PENDING] * 3)
    context = FakeContext(inputs={"prompt": "x"})

    outputs = {}
    with use_models([own]):
        for index, node in enumerate(plan.nodes):
            context.delivered = progress.delivered(index)
            inputs = progress.inputs(index, context.delivered)
            outputs = await node.type.run(node.settings, inputs, context)
            progress.settle(index, NodeStatus.COMPLETED, outputs)

    assert outputs == {"result": result}


def test_it_is_compiled_once_for_each_model() -> None:
    echo = find_model("echo")
    assert echo is not None
    first, second = model(), model(fields="", call='[builtin]\ntemplate = "x"')

    assert model_plan(echo) is model_plan(echo)
    with use_models([first]):
        assert model_plan(first).fields == first.fields
    with use_models([second]):
        assert model_plan(second).fields == ()


def test_a_model_that_the_registry_does_not_have_or_has_disabled_gives_no_plan() -> None:
    off = model("off", head="enabled = false")

    with use_models([off]), pytest.raises(InvalidGraph):
        model_plan(off)
    with pytest.raises(InvalidGraph):
        model_plan(model("stranger"))


def test_no_more_plans_are_kept_than_are_useful(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: LruCache[str, tuple[Model, Plan]] = LruCache(3)
    monkeypatch.setattr("engine.graph.model_plan._plans", kept)
    models = [model(f"m{number}") for number in range(10)]
    with use_models(models):
        plans = [model_plan(each) for each in models]
        again = model_plan(models[-1])

    assert again is plans[-1]
    assert len(kept) == 3
