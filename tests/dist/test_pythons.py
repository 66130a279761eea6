"""The wheel of `dist/` on each Python: installed where nothing else is, and used.

`make try-dist` builds the wheel first.
"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.commands.test_first_run import paste
from tests.support.acceptance.versions.load import ITEMS, computing, listing
from tests.support.dist.installed_wheel import (
    NEEDED_NOWHERE,
    InstalledWheel,
    WheelStack,
    download_dependencies,
)
from tests.support.dist.interpreters import VERSIONS, Interpreter, NoInterpreter, find_interpreter

pytestmark = pytest.mark.slow


@pytest.fixture(params=VERSIONS)
def interpreter(request: pytest.FixtureRequest) -> Interpreter:
    try:
        return find_interpreter(request.param)
    except NoInterpreter as reason:
        pytest.skip(str(reason))


@pytest.fixture
def installed(interpreter: Interpreter) -> Iterator[InstalledWheel]:
    """An empty folder in the tree of the interpreter."""
    parent = interpreter.seen_from_here(Path("/var/tmp"))
    with tempfile.TemporaryDirectory(prefix="wheel-", dir=parent) as name:
        yield InstalledWheel(interpreter, Path("/var/tmp") / Path(name).name)


def install_timed(installed: InstalledWheel, wheel: Path) -> str:
    """Install with an empty cache and with a full one; return the seconds as a text."""
    if installed.interpreter.tree is not None:
        kept = installed.place / "wheels"
        count = len(download_dependencies(wheel, installed.interpreter.version, kept))
        local = ("--no-index", "--find-links", str(installed.folder / "wheels"))
        seconds = installed.install(wheel, *local)
        return f"pip install {seconds:.1f} s from {count} wheels that were fetched before"
    cache = ("--cache-dir", str(installed.folder / "cache"))
    cold = installed.install(wheel, *cache)
    warm = installed.install(wheel, *cache)
    return f"pip install {cold:.1f} s, with a full cache {warm:.1f} s"


def use(stack: WheelStack) -> None:
    """Run workflows with expressions and lists."""
    items = ",".join(f'"item {number}"' for number in range(ITEMS))
    runs = ((computing(), "ada", "ada!"), (listing(), "ada", {"text": f"ada: [{items}]"}))
    for number, (graph, given, result) in enumerate(runs):
        status, saved = stack.api("POST", "/api/workflows", graph.body(f"Tried {number}"))
        assert status == 201, saved
        path = f"/api/workflows/{saved['slug']}/run"
        status, answer = stack.api("POST", path, {"inputs": {"id": given}})
        assert (status, answer.get("result")) == (200, result), answer


def test_the_wheel_runs_where_nothing_else_is_installed(
    installed: InstalledWheel, wheel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    timed = install_timed(installed, wheel)
    assert [shutil.which(name, path=installed.environ["PATH"]) for name in NEEDED_NOWHERE] == (
        [None] * len(NEEDED_NOWHERE)
    )

    with installed.up("empty") as stack:
        status, answer = paste(stack.line("curl "))
        seconds = stack.seconds()
        use(stack)
        _, described = stack.api("GET", "/openapi.json")
        said = installed.headrace("--version").stdout
        code = stack.stop()

    assert (status, code) == (200, 0)
    assert answer["result"]["text"].startswith("Dear Ada,\n")  # type: ignore[index]
    version = wheel.name.split("-")[1]
    assert described["info"]["version"] == version
    assert said == f"headrace, version {version}\n"
    started = f"headrace up to the first answer {seconds:.1f} s"
    with capsys.disabled():
        print(f"\nPython {installed.interpreter.version}: {timed}, {started}")
