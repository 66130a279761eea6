"""`headrace top` against a real stack: in a terminal, over a pipe, and without its Redis."""

import json
import os
import signal

import pytest

from tests.support.acceptance.running_stack import HEADRACE, RunningStack, environment, running
from tests.support.top.terminal import Terminal, in_terminal

LEFT_SCREEN = b"\x1b[?1049l"
SHOWN_CURSOR = b"\x1b[?25h"
COLOUR = b"\x1b[32m"
PART = "PROVIDER, 5 min"
"""Part that stands last on the screen."""


def top(stack: RunningStack, *arguments: str) -> list[str]:
    return [*HEADRACE, "top", "--data-dir", str(stack.data_dir), "--interval", "0.5", *arguments]


def environ(**more: str) -> dict[str, str]:
    kept = environment(TERM="xterm-256color", **more)
    return {name: value for name, value in kept.items() if name != "NO_COLOR" or name in more}


def assert_left_cleanly(terminal: Terminal) -> None:
    """Check that the terminal is as before: main screen, cursor, and echo of what is typed."""
    assert terminal.output.count(LEFT_SCREEN) == 1
    assert terminal.output.rfind(SHOWN_CURSOR) > terminal.output.rfind(b"\x1b[?25l")
    assert terminal.echoes()


@pytest.mark.parametrize(
    ("columns", "lines"), [(80, 24), pytest.param(120, 40, marks=pytest.mark.slow)]
)
def test_it_follows_the_size_of_the_terminal_and_ends_by_ctrl_c(
    stack: RunningStack, columns: int, lines: int
) -> None:
    with in_terminal(top(stack), columns, lines, environ()) as terminal:
        terminal.wait_for(PART)
        terminal.resize(60, 15)
        terminal.wait_for("headrace top")
        terminal.press(b"\x03")

        assert terminal.wait_for_end() == 0
        assert_left_cleanly(terminal)
        assert COLOUR in terminal.output


def test_q_ends_it_and_no_color_leaves_colours_out(stack: RunningStack) -> None:
    with in_terminal(top(stack), 80, 24, environ(NO_COLOR="1")) as terminal:
        terminal.wait_for(PART)
        terminal.press(b"q")

        assert terminal.wait_for_end() == 0
        assert_left_cleanly(terminal)
        assert COLOUR not in terminal.output


@pytest.mark.slow
def test_a_signal_ends_it_as_cleanly(stack: RunningStack) -> None:
    with in_terminal(top(stack), 80, 24, environ()) as terminal:
        terminal.wait_for(PART)
        os.kill(terminal.pid, signal.SIGTERM)

        assert terminal.wait_for_end() == 0
        assert_left_cleanly(terminal)


def test_a_pipe_gets_it_once_and_plain(stack: RunningStack) -> None:
    done = stack.command("top")

    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout
    assert "Queues    walk 0" in done.stdout
    assert PART in done.stdout


def test_json_has_the_runs_that_ended(stack: RunningStack) -> None:
    stack.api("POST", "/api/workflows/greeting-letter/run", {"inputs": {"name": "Ada"}})

    done = stack.command("top", "--json")

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["workers"][0]["alive"] is True
    assert found["rates"]["seconds"] > 0
    assert found["history"]["problem"] is None


@pytest.mark.slow
def test_a_terminal_without_controls_gets_it_once(stack: RunningStack) -> None:
    with in_terminal(top(stack), 80, 24, environ() | {"TERM": "dumb"}) as terminal:
        terminal.wait_for(PART)

        assert terminal.wait_for_end() == 0
        assert LEFT_SCREEN not in terminal.output


def test_without_a_stack_it_says_so(tmp_path: os.PathLike[str], stack: RunningStack) -> None:
    done = stack.command("top", "--once", "--data-dir", str(tmp_path))

    assert done.returncode == 1
    assert "No stack runs" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGSTOP, signal.SIGKILL])
def test_it_goes_on_when_redis_is_away_and_back(
    tmp_path_factory: pytest.TempPathFactory, sent: signal.Signals
) -> None:
    with running(tmp_path_factory.mktemp("away"), "--no-demo") as stack:
        stack.line("Stop ")
        [server] = stack.part("redis")
        with in_terminal(top(stack), 80, 24, environ()) as terminal:
            terminal.wait_for(PART)
            os.kill(server, sent)
            try:
                if sent is signal.SIGSTOP:
                    terminal.wait_for("Redis has not answered")
            finally:
                if sent is signal.SIGSTOP:
                    os.kill(server, signal.SIGCONT)
            first = len(terminal.output)
            terminal.wait_for(PART)
            while b"has not answered" in terminal.output[first:]:
                first = len(terminal.output)
                terminal.wait_for(PART)
            terminal.press(b"q")

            assert terminal.wait_for_end() == 0
