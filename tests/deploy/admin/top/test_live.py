"""The screen keeps the last reading while Redis is away."""

import io
from collections.abc import Iterator

import pytest
from rich.console import Console
from rich.live import Live

from deploy.admin.top.live import TopScreen
from tests.support.top.readings import reading, sample


class Shown:
    """A console that writes to memory."""

    def __init__(self) -> None:
        self.file = io.StringIO()
        self.console = Console(
            file=self.file, force_terminal=True, color_system="standard", width=80, height=24
        )

    def drawn(self) -> str:
        """Return what was drawn since the last call."""
        written = self.file.getvalue()
        self.file.seek(0)
        self.file.truncate()
        return written


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Shown()


@pytest.fixture
def screen(shown: Shown) -> Iterator[TopScreen]:
    with Live(console=shown.console, screen=True, auto_refresh=False) as live:
        yield TopScreen(live)


def test_a_reading_fills_the_screen_and_no_more(shown: Shown, screen: TopScreen) -> None:
    shown.drawn()

    screen.show(reading(sample(failed=3)))

    drawn = shown.drawn()
    assert drawn.count("\n") < 24
    assert "headrace top" in drawn
    assert "\x1b[1;31m0.30/s" in drawn


def test_without_redis_the_last_reading_stays_below_a_note(shown: Shown, screen: TopScreen) -> None:
    screen.show(reading())
    shown.drawn()

    screen.show_away("The store cannot be reached right now.")
    away = shown.drawn()
    screen.show(reading())

    assert "Redis has not answered for 0 s: old figures." in away
    assert "completed" in away
    assert "has not answered" not in shown.drawn()


def test_nothing_but_the_note_is_shown_before_the_first_reading(
    shown: Shown, screen: TopScreen
) -> None:
    shown.drawn()

    screen.show_away("")

    assert "has not answered" in shown.drawn()
    screen.draw()
    assert "completed" not in shown.drawn()


def test_no_color_leaves_colours_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = Shown()

    with Live(console=shown.console, screen=True, auto_refresh=False) as live:
        TopScreen(live).show(reading(sample(failed=3)))

    assert "\x1b[1;31m" not in shown.drawn()
