"""The dashboards have the types of the very Grafana that the Compose file runs.

No registry has Grafana itself; npm has its types, against which TypeScript checks each file.
"""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.dashboards.written import DASHBOARDS
from gateway.ui import build_pages
from tests.support.compose.compose_file import read_file

pytestmark = pytest.mark.slow
PACKAGE = "@grafana/schema"
VERSION = str(read_file()["services"]["grafana"]["image"]).rpartition(":")[2]
TYPES = f"./node_modules/{PACKAGE}/dist/types/raw"
KINDS = {
    "heatmap": "heatmap/panelcfg/x/HeatmapPanelCfg_types.gen",
    "stat": "stat/panelcfg/x/StatPanelCfg_types.gen",
    "state-timeline": "statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen",
    "table": "table/panelcfg/x/TablePanelCfg_types.gen",
    "timeseries": "timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen",
}
"""Types of the options of panels, by the panels' type."""
WITH_CUSTOM = {"heatmap", "state-timeline", "timeseries"}
STRICT = "--noEmit --strict --skipLibCheck --moduleResolution bundler --module esnext"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with Node, TypeScript and the types."""
    folder = tmp_path_factory.mktemp("types")
    node = build_pages.find_node(folder / "node", build_pages.run_quietly)
    npm = [str(node), str(build_pages.npm_of(node)), "install", "--no-audit", "--no-fund"]
    (folder / "package.json").write_text("{}")
    build_pages.run_quietly(
        [*npm, "--prefix", str(folder), "--ignore-scripts", f"{PACKAGE}@{VERSION}", "typescript@5"],
        build_pages.with_node(node),
    )
    for path in (folder / "node_modules" / PACKAGE).rglob("*.d.ts"):
        path.write_text(open_enums(path.read_text()))
    (folder / "node_path").write_text(str(node))
    return folder


def open_enums(text: str) -> str:
    """Return declarations in which the values of enums may be written as they are in JSON."""

    def union(found: re.Match[str]) -> str:
        values = re.findall(r'=\s*("[^"]*"|-?\d+)', found[2])
        return f"export type {found[1]} = {' | '.join(values)};"

    return re.sub(r"export declare enum (\w+) \{([^}]*)\}", union, text)


def source_of(dashboard: Any) -> Iterator[str]:
    """Yield lines of TypeScript with a dashboard, and with the options of each panel."""
    yield f'import type {{ Dashboard }} from "{TYPES}/dashboard/x/dashboard_types.gen";'
    for kind, path in KINDS.items():
        yield f'import type * as {name_of(kind)} from "{TYPES}/composable/{path}";'
    for each in dashboard["annotations"]["list"]:
        # Annotations of Prometheus have a query, which the types of all sources lack.
        del each["expr"]
    yield f"export const dashboard: Dashboard = {json.dumps(dashboard)};"
    for number, panel in enumerate(dashboard["panels"]):
        kind = panel["type"]
        if kind == "row":
            continue
        options, custom = panel["options"], panel["fieldConfig"]["defaults"].get("custom")
        yield f"export const o{number}: {name_of(kind)}.Options = {json.dumps(options)};"
        if custom is not None and kind in WITH_CUSTOM:
            yield f"export const c{number}: {name_of(kind)}.FieldConfig = {json.dumps(custom)};"


def name_of(kind: str) -> str:
    return kind.replace("-", "_")


def problems(folder: Path) -> Counter[str]:
    """Return what TypeScript says of the sources in a folder."""
    compiler = str(folder / "node_modules" / "typescript" / "bin" / "tsc")
    sources = sorted(map(str, folder.glob("*.ts")))
    command = [(folder / "node_path").read_text(), compiler, *STRICT.split(), *sources]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return Counter(
        re.sub(r"^.*only specify known properties, and ", "", each).rstrip(".") for each in lines
    )


def write_sources(folder: Path, **changes: Any) -> None:
    """Write the sources of all dashboards, with other members if given."""
    for path in DASHBOARDS.glob("*.json"):
        dashboard = {**json.loads(path.read_bytes()), **changes}
        (folder / f"{path.stem}.ts").write_text("\n".join(source_of(dashboard)))


def test_the_types_of_grafana_accept_all_dashboards(folder: Path) -> None:
    write_sources(folder)

    assert problems(folder) == Counter()


def test_a_wrong_member_is_refused(folder: Path) -> None:
    write_sources(folder, refesh="30s")

    assert any("refesh" in each for each in problems(folder))
