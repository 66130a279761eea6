"""Changes that break callers, one a row, and changes that do not."""

from typing import Any

import pytest

from engine.graph.breaking_changes import breaking_changes
from engine.graph.document import Document, parse_document
from tests.support.gateway.documents import node

TEXT: dict[str, Any] = {"name": "a", "label": "A", "type": "text"}
NUMBER: dict[str, Any] = {"name": "a", "label": "A", "type": "number"}


def asking(*fields: dict[str, Any]) -> Document:
    nodes = [node("in", "requestInput", fields=list(fields)), node("out", "responseOutput")]
    return parse_document({"name": "Asking", "nodes": nodes})


def answering(*names: str) -> Document:
    data = {"fields": [{"name": name} for name in names]} if names else {}
    return parse_document({"name": "Answering", "nodes": [node("out", "responseOutput", **data)]})


def silent() -> Document:
    return parse_document({"name": "Silent", "nodes": [node("text", "textBox", text="x")]})


@pytest.mark.parametrize(
    ("former", "field", "change"),
    [
        (TEXT, {**TEXT, "type": "textarea"}, "changes its type from text to textarea"),
        (NUMBER, {**NUMBER, "type": "slider"}, "changes its type from number to slider"),
        (TEXT, {**TEXT, "required": True}, "becomes required"),
        (
            {**TEXT, "required": True, "default": "x"},
            {**TEXT, "required": True},
            "becomes required",
        ),
        (TEXT, {**TEXT, "options": ["x"]}, "takes its options only"),
        (
            {**TEXT, "options": ["x", "y"]},
            {**TEXT, "options": ["x", "z"]},
            "loses options: 'y'",
        ),
        (NUMBER, {**NUMBER, "min": 1}, "takes 1 or more"),
        ({**NUMBER, "min": 0}, {**NUMBER, "min": 1}, "takes 1 or more instead of 0"),
        (NUMBER, {**NUMBER, "max": 9}, "takes 9 or less"),
        ({**NUMBER, "max": 10}, {**NUMBER, "max": 9.5}, "takes 9.5 or less instead of 10"),
        (NUMBER, {**NUMBER, "step": 2}, "takes 0 plus multiples of 2 only"),
        ({**NUMBER, "step": 2}, {**NUMBER, "step": 4}, "takes 0 plus multiples of 4 only"),
        (
            {**NUMBER, "min": 0, "step": 2},
            {**NUMBER, "min": -1, "step": 2},
            "takes -1 plus multiples of 2 only",
        ),
        (TEXT, {**TEXT, "maxLength": 9}, "takes at most 9 characters"),
        (
            {**TEXT, "maxLength": 10},
            {**TEXT, "maxLength": 9},
            "takes at most 9 characters instead of 10",
        ),
    ],
)
def test_an_input_that_takes_less_breaks_callers(
    former: dict[str, Any], field: dict[str, Any], change: str
) -> None:
    assert breaking_changes(asking(former), asking(field)) == [f"The input 'a' {change}"]


@pytest.mark.parametrize(
    ("former", "field"),
    [
        (TEXT, TEXT),
        ({**TEXT, "required": True}, TEXT),
        (TEXT, {**TEXT, "required": True, "default": "x"}),
        ({**TEXT, "default": "x"}, {**TEXT, "default": "y"}),
        (TEXT, {**TEXT, "label": "Other", "helperText": "Help"}),
        ({**TEXT, "options": ["x"]}, {**TEXT, "options": ["y", "x"]}),
        ({**TEXT, "options": ["x"]}, TEXT),
        ({**NUMBER, "min": 1, "max": 2}, {**NUMBER, "min": 0, "max": 3}),
        ({**NUMBER, "min": 1, "max": 2}, NUMBER),
        ({**NUMBER, "step": 4}, {**NUMBER, "step": 2}),
        ({**NUMBER, "step": 0.3}, {**NUMBER, "step": 0.1}),
        ({**NUMBER, "min": 0, "step": 2}, {**NUMBER, "min": -4, "step": 2}),
        ({**NUMBER, "step": 2}, NUMBER),
        ({**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 10}),
        ({**TEXT, "maxLength": 9}, TEXT),
    ],
)
def test_an_input_that_takes_as_much_or_more_breaks_nothing(
    former: dict[str, Any], field: dict[str, Any]
) -> None:
    assert breaking_changes(asking(former), asking(field)) == []


def test_an_input_that_is_renamed_breaks_callers() -> None:
    changes = breaking_changes(asking(TEXT), asking({**TEXT, "name": "b", "required": True}))

    assert changes == [
        "The input 'a' is removed or renamed",
        "The new input 'b' is required",
    ]


@pytest.mark.parametrize("more", [{}, {"required": True, "default": "x"}])
def test_a_new_input_that_need_not_be_sent_breaks_nothing(more: dict[str, Any]) -> None:
    assert breaking_changes(asking(TEXT), asking(TEXT, {**TEXT, "name": "b", **more})) == []


def test_all_changes_of_one_input_are_told() -> None:
    field = {**NUMBER, "required": True, "min": 1, "max": 2}

    changes = breaking_changes(asking(NUMBER), asking(field))

    assert len(changes) == 3


def test_of_many_lost_options_some_are_named() -> None:
    former = {**TEXT, "options": [str(each) for each in range(30)]}

    (change,) = breaking_changes(asking(former), asking({**TEXT, "options": ["0"]}))

    assert change.endswith("'10' and 19 more")


@pytest.mark.parametrize(
    ("former", "document", "changes"),
    [
        (answering("x", "y"), answering("y"), ["The output 'x' is removed or renamed"]),
        (answering("x"), answering(), ["The result changes from named outputs to one result"]),
        (answering(), answering("x"), ["The result changes from one result to named outputs"]),
        (answering(), silent(), ["The result is removed"]),
        (answering("x"), answering("y", "x"), []),
        (answering(), answering(), []),
        (silent(), answering("x"), []),
        (silent(), silent(), []),
    ],
)
def test_a_result_breaks_callers_where_names_go_or_its_kind_changes(
    former: Document, document: Document, changes: list[str]
) -> None:
    assert breaking_changes(former, document) == changes
