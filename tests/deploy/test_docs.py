import json
import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

from deploy.cli import headrace
from engine.errors import ERRORS
from engine.graph.document import parse_document
from engine.graph.plan import check_graph
from engine.nodes import NODE_TYPES
from engine.settings import PREFIX, Settings, load
from tests.support.nodes.node_reference import make_page

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted(
    [
        *(ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "SECURITY")),
        *(ROOT / "docs").rglob("*.md"),
    ]
)
NOT_FOR_CALLERS = {"PAYMENT_REQUIRED", "FORBIDDEN", "CONFLICT"}
BUILT = "gateway/static"
"""Folder of the built pages, which a checkout has only once they are built."""


def rows_of(page: str, column: int = 0) -> dict[str, list[str]]:
    """Return the rows of a page's tables, by the code word that fills a column's cell."""
    rows = {}
    for line in (REFERENCE / page).read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if cells and (match := re.fullmatch(r"`([^`]+)`", cells[column])):
            rows[match[1]] = cells
    return rows


def test_every_setting_is_documented_with_its_default() -> None:
    documented = {name: cells[1] for name, cells in rows_of("settings.md").items()}

    assert documented.keys() == {PREFIX + field.name.upper() for field in fields(Settings)}
    for field in fields(Settings):
        name = PREFIX + field.name.upper()
        text = documented[name].replace("*(empty)*", "").strip("`")
        assert load({name: text}) == Settings(), name


def test_every_node_type_is_documented() -> None:
    assert {kind.type for kind in NODE_TYPES} == rows_of("node-types.md").keys()


def test_the_page_of_settings_is_made_of_the_definitions() -> None:
    # Written by `python -m tests.support.nodes.node_reference`.
    assert (REFERENCE / "node-settings.md").read_text() == make_page()


def test_every_error_code_is_documented() -> None:
    documented = rows_of("errors.md", column=1).keys()
    codes = {each.code for each in ERRORS if each.code}

    assert codes - NOT_FOR_CALLERS <= documented


def test_every_code_of_a_failed_node_is_documented() -> None:
    sources = [*(ROOT / "engine").rglob("*.py"), *(ROOT / "workers").rglob("*.py")]
    codes = {
        code
        for source in sources
        for code in re.findall(r'NodeFailed\(\s*"([a-z_]+)"', source.read_text())
    }

    assert "timeout" in codes
    assert codes <= rows_of("errors.md").keys()


def commands_of(group: click.Group) -> dict[str, click.Command]:
    context = click.Context(group)
    found = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def commands(group: click.Group, *path: str) -> list[str]:
    found = []
    for name, command in commands_of(group).items():
        if isinstance(command, click.Group):
            found += commands(command, *path, name)
        else:
            found.append(" ".join((*path, name)))
    return found


@pytest.mark.parametrize("command", commands(headrace, "headrace"))
def test_every_command_is_documented_with_its_options(command: str) -> None:
    page = (REFERENCE / "commands.md").read_text()
    line = next(line for line in page.splitlines() if line.startswith(f"| `{command}"))
    found: click.Command = headrace
    for word in command.split()[1:]:
        assert isinstance(found, click.Group)
        found = commands_of(found)[word]

    options = {max(one.opts, key=len) for one in found.params if isinstance(one, click.Option)}
    everywhere = {"--json", "--data-dir"}

    assert {option for option in options - everywhere if option not in line} <= {"--input"}


def test_every_check_of_the_doctor_is_documented() -> None:
    sources = (ROOT / "deploy" / "admin").glob("*.py")
    names = {
        name
        for source in sources
        if "Check(" in source.read_text()
        for name in re.findall(r'name="([a-z -]+)"', source.read_text())
    }

    assert len(names) > 15
    assert names <= rows_of("commands.md").keys()


def anchors(page: Path) -> set[str]:
    """Return the names of a page's headings and of its own anchors."""
    text = page.read_text()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    named = {re.sub(r"[^\w\- ]", "", each).lower().replace(" ", "-") for each in headings}
    return named | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!http)([^)#]*)(?:#([^)]+))?\)", page.read_text())

    broken = [
        f"{path}#{anchor}"
        for path, anchor in links
        for target in [page.parent / path if path else page]
        if not target.exists() or (anchor and anchor not in anchors(target))
    ]

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_calls_the_command_where_a_clone_has_it(page: Path) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
    calls = [
        each
        for block in blocks
        for each in re.findall(r"(?<!SETUSER )(?<!-- )(?<!sudo )(\S*\bheadrace) [a-z]", block)
    ]

    assert {call.removeprefix("$(").removeprefix('"$(') for call in calls} <= {".venv/bin/headrace"}


def test_the_pictures_of_the_readme_are_light_and_dark_and_load_fast() -> None:
    readme = (ROOT / "README.md").read_text()
    for picture in ("editor", "waterfall"):
        for theme in ("light", "dark"):
            path = f"docs/pictures/readme-{picture}-{theme}.webp"
            assert f'"{path}"' in readme
            assert 0 < (ROOT / path).stat().st_size < 80_000
    assert readme.count("(prefers-color-scheme: dark)") == 2


def test_the_first_workflow_can_be_saved_as_it_stands() -> None:
    text = (ROOT / "docs" / "how-to" / "compose" / "first-workflow.md").read_text()
    document = parse_document(json.loads(text.split("```json\n")[1].split("```")[0]))

    assert check_graph(document.nodes, document.edges) == []


def test_the_nodes_and_edges_that_make_pictures_can_be_saved_as_they_stand() -> None:
    text = (ROOT / "docs" / "how-to" / "compose" / "ask-models.md").read_text()
    nodes = json.loads(text.split("```json\n")[1].split("```")[0])
    lines = re.findall(r"^(\S+)\.(\S+) +> (\S+)\.(\S+)$", text, re.MULTILINE)
    keys = ("source", "sourceHandle", "target", "targetHandle")

    edges = [
        {"id": str(number), **dict(zip(keys, ends, strict=True))}
        for number, ends in enumerate(lines)
    ]

    assert len(edges) == 5
    assert check_graph(nodes, edges) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_of_the_project_that_a_page_names_exists(page: Path) -> None:
    folders = "|".join(("engine", "gateway", "workers", "deploy", "tests", "docs", "examples"))
    named = re.findall(rf"`((?:{folders})/[^`\s<>*]*)`", page.read_text())

    missing = [path for path in named if not (ROOT / path).exists()]
    assert [path for path in missing if not path.startswith(BUILT)] == []


def test_every_word_is_defined_in_the_file_that_the_table_names() -> None:
    page = (ROOT / "docs" / "design" / "words.md").read_text()
    rows = re.findall(r"\| `(\w+)` \| `([\w/.]+)` \|$", page, re.MULTILINE)

    undefined = [
        (name, file)
        for name, file in rows
        if not re.search(rf"^ *(?:class|(?:async )?def) {name}\b", (ROOT / file).read_text(), re.M)
    ]

    assert len(rows) > 50
    assert undefined == []
