"""`headrace asset`, and `headrace run --save`: on a server and in process."""

import json
from pathlib import Path

import pytest

from tests.support.acceptance.commands import json_of
from tests.support.acceptance.documents import save
from tests.support.acceptance.running_stack import RunningStack
from tests.support.gateway.documents import edge, node
from tests.support.media.files import png

KINDS = ("image", "file")


@pytest.fixture(params=["server", "in process"])
def way(request: pytest.FixtureRequest, stack: RunningStack) -> tuple[str, ...]:
    """Options with which a command calls a gateway, or answers itself."""
    account = json.loads((stack.data_dir / "demo.json").read_text())["accountId"]
    return () if request.param == "server" else ("--account", account)


@pytest.fixture(params=KINDS)
def echo(request: pytest.FixtureRequest, stack: RunningStack) -> tuple[str, Path, bytes]:
    """A workflow that answers with the medium that it is given, and a file of that kind."""
    kind = request.param
    name, data = ("cat.png", png(4, 3)) if kind == "image" else ("rows.csv", b"a,b\n1,2\n")
    fields = [{"name": "given", "label": "Given", "type": kind, "required": True}]
    nodes = [node("form", "requestInput", fields=fields), node("end", "responseOutput")]
    edges = [edge("form", "given", "end", "result-in")]
    return save(stack, stack.key, f"Echo {kind}", nodes, edges), Path(name), data


def test_a_file_is_stored_by_command_and_is_the_input_of_a_run_whose_result_is_saved(
    stack: RunningStack, way: tuple[str, ...], echo: tuple[str, Path, bytes], tmp_path: Path
) -> None:
    slug, name, data = echo
    file = tmp_path / name
    file.write_bytes(data)
    (tmp_path / "results").mkdir()

    [asset] = json_of(stack, "asset", "upload", str(file), *way)
    done = stack.command(
        *("run", slug, "-i", f"given={asset['id']}", "--save", str(tmp_path / "results"), *way)
    )

    assert done.returncode == 0, done.stderr
    saved = tmp_path / "results" / f"{asset['id']}{name.suffix}"
    assert saved.read_bytes() == data
    assert done.stderr == f"headrace: Saved {saved}.\n"
    [members] = json.loads(done.stdout).values()
    assert asset["id"] in members[0]


def test_an_asset_is_shown_saved_and_deleted(
    stack: RunningStack, way: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "cat.png").write_bytes(png(4, 3))
    asset_id = stack.command("asset", "upload", str(tmp_path / "cat.png"), *way).stdout.strip()

    shown = stack.command("asset", "get", asset_id, *way).stdout
    listed = json_of(stack, "asset", "list", "--limit", "1", *way)
    saved = stack.command("asset", "get", asset_id, "--save", str(tmp_path), *way).stdout.strip()
    deleted = stack.command("asset", "delete", asset_id, *way)
    again = stack.command("asset", "get", asset_id, *way)

    assert "image/png" in shown
    assert f"/media/{asset_id}?" in shown
    assert [each["id"] for each in listed] == [asset_id]
    assert Path(saved).read_bytes() == png(4, 3)
    assert (deleted.returncode, again.returncode) == (0, 1)
    assert "Traceback" not in again.stderr
