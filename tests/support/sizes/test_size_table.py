"""Sizes of installations: computed, and written on their page."""

from pathlib import Path

from tests.support.sizes.size_table import SIZES, read_model, redis_gigabytes, rows, table

PAGE = Path(__file__).parents[3] / "docs" / "operate" / "sizes.md"


def test_the_page_has_the_newest_figures() -> None:
    # `python -m tests.support.sizes.size_table` prints the rows, also after a new `make scale`.
    assert table(read_model()) in PAGE.read_text()


def test_a_larger_size_needs_as_much_or_more() -> None:
    numbers = [[float(cell.replace(",", "")) for cell in cells[1:]] for cells in rows(read_model())]

    assert len(numbers) == len(SIZES)
    for smaller, larger in zip(numbers, numbers[1:], strict=False):
        assert all(one <= other for one, other in zip(smaller, larger, strict=True))


def test_what_ended_takes_less_memory_the_sooner_it_is_forgotten() -> None:
    model = read_model()
    needs = model.needs(1_000, model.measured.models.use)

    assert redis_gigabytes(needs, 10) * 6 == redis_gigabytes(needs, 60)
