"""Values that are read from prompts."""

import pytest

from deploy.stub_provider.contents.prompt_values import (
    PromptValues,
    feature_words,
    named_count,
    named_options,
)

ORDER = PromptValues(
    text="- Unit price: 1,190.50 EUR; amount: 7\nDelivery_date: 2026-04-15\nUnit: box"
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("unitPrice", "1,190.50 EUR"),
        ("unit_price", "1,190.50 EUR"),
        ("amount", "7"),
        ("deliveryDate", "2026-04-15"),
        ("unit", "box"),
        ("price", None),
        ("", None),
        ("a.*", None),
    ],
)
def test_a_value_stands_behind_its_name_at_the_beginning_of_a_part(
    name: str, value: str | None
) -> None:
    assert ORDER.labelled(name) == value


def test_a_number_is_the_first_of_its_value() -> None:
    assert (ORDER.number("unitPrice"), ORDER.number("unit")) == (1190.5, None)


def test_rows_are_the_lines_with_two_names_or_more() -> None:
    assert [row.labelled("amount") for row in ORDER.rows(["unitPrice", "amount"])] == ["7"]
    assert ORDER.rows(["unit", "deliveryDate"]) == []


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("Answer with one of: red, dark green or blue.", ["red", "dark green", "blue"]),
        ("one of these words: 'a' | 'b'", ["a", "b"]),
        ("one of the following labels: yes/no; nothing else", ["yes", "no"]),
        ("one of: red", []),
        ("It is one of the best, or not", []),
        ("one of: a sentence of very many words, another", []),
    ],
)
def test_options_are_those_of_a_list_of_short_names(text: str, options: list[str]) -> None:
    assert named_options(text) == options


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Write 4 ideas", 4),
        ("exactly Three short headlines", None),
        ("ten lines", 10),
        ("A4", None),
    ],
)
def test_a_count_stands_before_a_plural(text: str, count: int | None) -> None:
    assert named_count(text) == count


def test_words_of_a_text_are_few_however_long_it_is() -> None:
    assert len(feature_words(" ".join(f"word{n}x" for n in range(10_000)))) <= 400
    assert feature_words("an ox") == []
