import venv
from pathlib import Path
from typing import Any

import pytest

from deploy.packaging.release import components
from deploy.packaging.release.commands import ReleaseFailed
from deploy.packaging.release.components import make_reproducible, write_page_components
from deploy.packaging.release.sources import Sources
from gateway.ui import build_pages

REGISTRY = "https://" + ".".join(("pypi", "org")) + "/project/a/"
SOURCES = Sources(root=Path(__file__).parents[4], commit="c", epoch=60, is_committed=True, files=())


def listed(**more: Any) -> dict[str, Any]:
    """Return a list of one component, as a tool writes it at some time in some folder."""
    references = [
        {"type": "website", "url": "https://example.org"},
        {"type": "distribution", "url": REGISTRY},
        {"type": "distribution", "url": "file:///here/a.whl"},
    ]
    component = {"name": "a", "purl": "pkg:pypi/a@1", "externalReferences": references}
    return {"metadata": {}, "components": [component], **more}


def test_a_list_names_neither_registries_nor_files_of_the_machine() -> None:
    made = make_reproducible(listed(), 60)

    [component] = made["components"]
    assert [each["url"] for each in component["externalReferences"]] == ["https://example.org"]
    assert component["purl"] == "pkg:pypi/a@1"


def test_a_list_has_the_time_of_the_commit_and_a_number_of_its_content() -> None:
    first, second = (
        make_reproducible(listed(serialNumber=f"urn:uuid:{n}", metadata={"timestamp": n}), 60)
        for n in (1, 2)
    )
    other = make_reproducible(listed(components=[]), 60)

    assert first == second
    assert first["metadata"]["timestamp"] == "1970-01-01T00:01:00+00:00"
    assert first["serialNumber"].startswith("urn:uuid:")
    assert other["serialNumber"] != first["serialNumber"]


def test_without_node_the_pages_have_no_list(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build_pages, "installed_node", lambda: None)

    with pytest.raises(ReleaseFailed, match="Node is missing"):
        write_page_components(SOURCES, "1.2.3", tmp_path, tmp_path / "list.json")


def test_an_environment_has_the_wheel_by_the_locked_versions(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(
        components, "run", lambda command, *_: commands.append([str(word) for word in command])
    )
    monkeypatch.setattr(venv, "create", lambda folder, with_pip: None)

    python = components.install_alone("a.whl", tmp_path, Path("constraints.txt"))

    [command] = commands
    assert command[command.index("--python") + 1] == str(python)
    assert command[-3:] == ["--constraint", "constraints.txt", "a.whl"]
