"""Estimate of an expression's size after the expansion of macros."""

import pytest

from engine.values.cel.expansion import expanded_size

pytestmark = pytest.mark.A87


@pytest.mark.parametrize(
    ("expression", "size"),
    [
        ("", 0),
        ("value", 1),
        ("value.a + 1", 5),
        ("a.optMap(x, x)", 10),
        ("a.optMap(x, x).optMap(y, y)", 28),
        ("a.optFlatMap(x, x).optFlatMap(y, y)", 28),
        ("(a.optMap(x, x)).optMap(x, x)", 32),
        ("a . optMap // or so\n (x, x)", 10),
        ("b.?c.optMap(x, x)", 16),
        ("b[?0].optMap(x, x)", 16),
        ("'a.optMap(x, x).optMap(y, y)'", 1),
        ("'''a.optMap(\n'''", 1),
        ('r"\\" + a.b', 5),
        ('"\\"" + a.b', 5),
        ("optMap(a, b)", 5),
        ("a.map(x, x)", 7),
        ("))((", 4),
    ],
)
def test_a_copying_macro_counts_what_it_is_called_on_twice(expression: str, size: int) -> None:
    assert expanded_size(expression) == size


@pytest.mark.parametrize("before", ["1 + ", "a in ", "b ? c : ", "b ? ", "[a, ", "f(a, ", "{a: "])
def test_only_the_chain_before_a_macro_is_repeated(before: str) -> None:
    longer = before.replace("a", "a.b.c.d")

    growth = expanded_size(longer + "x.optMap(y, y)") - expanded_size(before + "x.optMap(y, y)")

    assert growth == expanded_size(longer) - expanded_size(before)


@pytest.mark.parametrize("length", range(1, 12))
def test_a_chain_grows_by_powers_of_two(length: int) -> None:
    assert expanded_size("a" + ".optMap(x, x)" * length) >= 2**length
