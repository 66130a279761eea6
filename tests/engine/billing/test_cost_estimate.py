"""Cost estimate before a run: known values, and lengths of lists from other nodes."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from engine.access.capabilities import Role, Tier
from engine.access.tiers import load
from engine.billing import cost_estimate
from engine.billing.credits import estimate, make_quote
from engine.graph.plan import Plan, compile_plan
from engine.models.registry import use_models
from engine.nodes.list import List
from tests.support.factories import Graph
from tests.support.http.providers import provided
from tests.support.manifests import PROMPT, field, model
from tests.support.process.cpu_time import cpu_limit

TOKENS = """
[[pricing]]
unit = "input_token"
usd = "0.001"
atMost = 50000
"""
PER_IMAGE = '[[pricing]]\nunit = "image"\nusd = "0.07"\n'
DRAWN = model("drawn", category="image", pricing=PER_IMAGE)
ONE = 84
"""Credits of an image with a markup of 1.2; of one call of `echo`, 12, of a known prompt, 1.2 for
each token."""
MARKUP = Decimal("1.2")
CALL = 12


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    several = model(
        "several",
        category="image",
        fields=PROMPT + field("count", "number", "min = 1\nmax = 4\ndefault = 1"),
        pricing='[[pricing]]\nunit = "image"\nusd = "0.07"\nfield = "count"\n',
    )
    chat = provided("openai", 'model = "any"\n', name="chat", pricing=TOKENS)
    with use_models([DRAWN, several, model("echo"), chat]):
        yield


def compiled(graph: Graph, *outputs: str) -> Plan:
    graph.node("out", "responseOutput").wire(*(f"{each} > out.result-in" for each in outputs))
    return compile_plan(graph.nodes, graph.edges)


def listed(graph: Graph, *values: str, **data: Any) -> Graph:
    return graph.node("l", "list", items=[{"value": each} for each in values], **data)


def quoted(plan: Plan, **inputs: Any) -> int:
    quote = make_quote(plan, load().terms(Tier.BUSINESS, Role.USER), None, inputs)
    assert quote is not None
    return quote.credits


def drawing(graph: Graph, source: str, **data: Any) -> Plan:
    graph.node("m", "imageGenerator", model="drawn", **data)
    return compiled(graph.wire(f"{source} > m.prompt-in"), "m.image-out")


def test_a_list_of_three_with_two_images_for_each_is_six_images() -> None:
    plan = drawing(listed(Graph(), "a", "b", "c"), "l.items-out", count=2)

    assert estimate(plan, MARKUP) == quoted(plan) == 6 * ONE


def test_items_that_are_left_out_do_not_count() -> None:
    graph = Graph().node("l", "list", items=[{"value": "a"}, {"value": "b", "included": False}])

    assert estimate(drawing(graph, "l.items-out"), MARKUP) == ONE


def test_a_run_whose_list_is_over_max_credits_is_refused_before_it_begins() -> None:
    plan = drawing(listed(Graph(), "a", "b"), "l.items-out")

    with pytest.raises(Exception, match="max_credits"):
        make_quote(plan, load().terms(Tier.BUSINESS, Role.USER), 2 * ONE - 1)


def test_lists_go_through_nodes_that_put_them_together() -> None:
    graph = listed(Graph("topic"), "a", "b").node("t", "textBox", text="{{ it }}!")
    graph.node("all", "list", items=[{"value": "c"}])
    graph.wire("in.topic > t.it", "l.items-out > all.items-in", "t.text-out > all.items-in")

    plan = drawing(graph, "all.items-out")

    assert estimate(plan, MARKUP) == quoted(plan, topic="x") == 4 * ONE


@pytest.mark.parametrize("between", ["assistant", "customModel"])
def test_a_model_that_is_asked_for_a_list_gives_one_as_long(between: str) -> None:
    graph = listed(Graph(), "a", "b", "c").node("t", between, model="echo")

    plan = drawing(graph.wire("l.items-out > t.prompt-in"), "t.text-out")

    assert estimate(plan, MARKUP) == 3 * CALL + 3 * ONE


def test_images_of_a_list_are_a_list_for_who_works_on_them() -> None:
    graph = listed(Graph(), "a", "b").node("m", "imageGenerator", model="drawn", count=2)
    graph.node("small", "imageResize", width=100).node("c", "condition", expression="true")
    graph.node("s", "assistant", model="echo")
    graph.wire("l.items-out > m.prompt-in", "m.image-out > small.image-in")
    graph.wire("small.image-out > c.value-in", "c.true-out > s.prompt-in")

    assert estimate(compiled(graph, "s.text-out"), MARKUP) == 4 * ONE + 4 * CALL


@pytest.mark.parametrize(("fallback", "images"), [(["x", "y"], 2), ("x", 1), (None, 1)])
def test_a_fallback_list_counts_where_it_is_longer(fallback: Any, images: int) -> None:
    graph = Graph().node("h", "httpRequest", url="https://example.com", onError="fallback")
    graph.nodes[0]["data"]["fallback"] = {"response-out": fallback}

    assert estimate(drawing(graph, "h.response-out"), MARKUP) == images * ONE


def test_a_fallback_list_that_is_shorter_changes_nothing() -> None:
    graph = listed(Graph(), "a", "b", "c").node("t", "assistant", model="echo", onError="fallback")
    graph.nodes[1]["data"]["fallback"] = {"text-out": ["x"]}

    plan = drawing(graph.wire("l.items-out > t.prompt-in"), "t.text-out")

    assert estimate(plan, MARKUP) == 3 * CALL + 3 * ONE


def test_a_branch_for_an_error_counts_beside_the_other_one() -> None:
    graph = Graph().node("h", "httpRequest", url="https://example.com")
    graph.node("m", "imageGenerator", model="drawn").node("n", "imageGenerator", model="drawn")
    graph.wire("h.response-out > m.prompt-in", "h.error-out > n.prompt-in")

    assert estimate(compiled(graph, "m.image-out", "n.image-out"), MARKUP) == 2 * ONE


def test_a_call_that_gives_several_images_gives_a_list() -> None:
    graph = Graph().node("m", "customModel", model="several", prompt="x", count=3)
    graph.node("c", "condition", expression="true").node("s", "assistant", model="echo")
    graph.wire("m.image-out > c.value-in", "c.true-out > s.prompt-in")

    assert estimate(compiled(graph, "s.text-out"), MARKUP) == 3 * ONE + 3 * CALL


def test_of_the_values_that_may_come_to_a_merge_the_longest_list_counts() -> None:
    graph = listed(Graph(), "a", "b", "c").node("one", "textBox", text="x")
    graph.node("c", "condition", expression="false").node("any", "merge")
    graph.wire("one.text-out > c.value-in", "c.true-out > any.value-in")
    graph.wire("l.items-out > any.value-in")

    assert estimate(drawing(graph, "any.value-out"), MARKUP) == 3 * ONE


@pytest.mark.parametrize("data", [{"exportMode": "list"}, {"jsonSchema": {"type": "array"}}])
def test_a_list_that_a_model_writes_counts_as_one_item(data: dict[str, Any]) -> None:
    graph = Graph().node("t", "assistant", model="echo", prompt="x", **data)

    assert estimate(drawing(graph, "t.items-out"), MARKUP) == CALL + ONE


def test_what_an_expression_makes_of_a_list_counts_as_one_item() -> None:
    graph = listed(Graph(), "a", "b").node("same", "transform", expression="value")

    plan = drawing(graph.wire("l.items-out > same.value-in"), "same.value-out")

    assert estimate(plan, MARKUP) == ONE


def test_items_that_are_known_count_by_their_size_and_the_others_by_the_most_there_may_be() -> None:
    graph = listed(Graph("topic"), "a" * 500, "b").node("m", "customModel", model="chat")
    graph.wire("in.topic > l.items-in", "l.items-out > m.prompt-in")
    plan = compiled(graph, "m.text-out")

    known = estimate(plan, MARKUP) - 50_000 * MARKUP
    short, long = quoted(plan, topic=""), quoted(plan, topic="x" * 1_000)

    assert 2_500 * MARKUP < known < 2_700 * MARKUP
    assert long - short == 1_000 * MARKUP


def test_what_no_caller_changes_is_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    estimate_outputs = List.estimate_outputs

    def counted(self: List, settings: Any, inputs: Any, unknown: Any) -> Any:
        lengths.append(len(inputs))
        return estimate_outputs(self, settings, inputs, unknown)

    monkeypatch.setattr(List, "estimate_outputs", counted)
    graph = listed(Graph("topic"), "a", "b").node("moving", "list")
    graph.node("x", "imageGenerator", model="drawn").wire("in.topic > moving.items-in")
    plan = drawing(
        graph.wire("moving.items-out > x.prompt-in", "x.image-out > out.result-in"), "l.items-out"
    )

    costs = [quoted(plan, topic=topic) for topic in "abc"]

    assert costs == [3 * ONE] * 3
    assert sorted(lengths) == [0, 1, 1, 1, 1]


def test_a_model_that_changes_is_reckoned_anew() -> None:
    plan = drawing(listed(Graph(), "a", "b"), "l.items-out")
    before = quoted(plan)

    dearer = model("drawn", category="image", pricing=PER_IMAGE.replace("0.07", "0.14"))
    with use_models([dearer]):
        after = quoted(plan)

    assert (before, after) == (2 * ONE, 4 * ONE)


def test_lists_that_double_again_and_again_are_given_up() -> None:
    graph = Graph("topic").node("l0", "list").wire(*["in.topic > l0.items-in"] * 3)
    for number in range(40):
        graph.node(f"l{number + 1}", "list")
        graph.wire(*[f"l{number}.items-out > l{number + 1}.items-in"] * 2)
    plan = drawing(graph, "l40.items-out")

    with cpu_limit(1):
        costs = [estimate(plan, MARKUP), quoted(plan, topic="x")]

    assert costs == [ONE, ONE]


def test_a_long_list_that_callers_add_to_is_supposed_as_the_defaults_make_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = listed(Graph("topic"), *"abcdef").node("m", "customModel", model="chat")
    graph.wire("in.topic > l.items-in", "l.items-out > m.prompt-in")
    plan = compiled(graph, "m.text-out")

    usual = quoted(plan, topic="x")
    monkeypatch.setattr(cost_estimate, "MAX_WORK", 3)
    supposed = quoted(plan, topic="x" * 1_000)

    assert usual < supposed == estimate(plan, MARKUP)


def test_a_text_that_cannot_be_put_together_is_not_known() -> None:
    graph = Graph().node("t", "textBox", text="{{ it.name }}").node("l", "list", items=[])
    graph.wire("l.items-out > t.it")

    assert estimate(drawing(graph, "t.text-out"), MARKUP) == ONE
