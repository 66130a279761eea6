import pytest

from engine.ids.secret_names import is_secret_name


@pytest.mark.parametrize("name", ["A", "Z9", "STRIPE_KEY", "A" * 64])
def test_names_are_in_capitals(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["", "a", "Aa", "9A", "_A", "A-B", "A.B", "A B", "Ä", "A\n", "A" * 65, None, 5, ["A"]]
)
def test_anything_else_is_none(name: object) -> None:
    assert not is_secret_name(name)
