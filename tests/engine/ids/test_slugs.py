import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidSlug
from engine.ids.slugs import SLUG, check_slug, numbered, slugify


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("My first workflow", "my-first-workflow"),
        ("  --Über  Größe!-- ", "uber-groe"),
        ("a_b.c", "a-b-c"),
        ("run", "run"),
        ("CON", "con"),
        ("../../etc/passwd", "etc-passwd"),
        ("日本語", "untitled-workflow"),
        ("-", "untitled-workflow"),
        ("x" * 300, "x" * 64),
        ("x" * 63 + " y", "x" * 63),
    ],
)
def test_a_name_gives_the_slug_it_asks_for(name: str, slug: str) -> None:
    assert slugify(name) == slug


@pytest.mark.A75
@given(name=st.text(), number=st.integers(min_value=2, max_value=10**9))
def test_every_name_and_number_gives_a_slug_that_is_one(name: str, number: int) -> None:
    slug = slugify(name)

    assert check_slug(slug) == slug
    assert SLUG.fullmatch(numbered(slug, number))
    assert numbered(slug, number).endswith(f"-{number}")


@pytest.mark.A75
def test_numbers_stay_within_the_longest_slug() -> None:
    assert numbered("x" * 64, 10_000) == "x" * 58 + "-10000"


@pytest.mark.parametrize("slug", ["", "A", "a b", "a/b", "ä", "a\n", "x" * 65, "a.b", "a:b", "٣"])
def test_what_is_no_slug_is_refused(slug: str) -> None:
    with pytest.raises(InvalidSlug):
        check_slug(slug)
