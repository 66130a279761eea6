from typing import Any

import pytest

from engine.errors.nodes import SettingsError
from engine.nodes.support.base import WorkKind
from engine.nodes.text_box import TextBox
from engine.values.sockets import Socket, SocketType
from tests.support.nodes.node_context import run_pure
from tests.support.nodes.node_sample import NodeSample

SAMPLES = {"textBox": NodeSample(WorkKind.PURE, "Utilities", {"text": "{{ a }}"})}


def test_each_placeholder_is_a_socket_that_must_be_wired() -> None:
    kind = TextBox()
    settings = kind.parse({"text": "{{ a }} {{ b.c[0] }} {{a}}"})

    needed = Socket(type=SocketType.ANY, required=True)
    assert kind.inputs(settings) == {"a": needed, "b": needed}
    assert kind.outputs(settings) == {"text-out": Socket(type=SocketType.TEXT)}


def test_its_sockets_have_the_order_of_the_text_in_every_process() -> None:
    kind = TextBox()
    names = [f"value_{number}" for number in range(20)]
    settings = kind.parse(
        {"text": " ".join(f"{{{{ {name} }}}}" for name in (*reversed(names), *names))}
    )

    assert [*kind.inputs(settings)] == names[::-1]


async def test_it_puts_the_values_in() -> None:
    text = await run_pure(
        "textBox", {"text": "Dear {{ who.name }}: {{ n }}"}, {"who": {"name": "Al"}, "n": 2}
    )

    assert text == "Dear Al: 2"


async def test_what_was_not_delivered_is_left_out() -> None:
    assert await run_pure("textBox", {"text": "<{{ a }}{{ b }}>"}, {"b": "B"}) == "<B>"


async def test_no_text_is_an_empty_text() -> None:
    assert await run_pure("textBox", {}) == ""


@pytest.mark.parametrize("text", [None, 1, [], {}, "{{ a"])
def test_a_text_that_is_none_is_refused(text: Any) -> None:
    with pytest.raises(SettingsError, match="text"):
        TextBox().parse({"text": text})
