"""Three hundred nodes that a run colours: time from the end of a node to its colour, and frames.

`-s` prints the figures. Bounds are wide, for machines under load.
"""

from datetime import datetime
from statistics import quantiles
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.acceptance.running_stack import RunningStack

pytestmark = pytest.mark.slow
CHAINS, LENGTH = 20, 15
MOST_MS = 5_000
MOST_FRAME_MS = 2_000
WATCH = """() => {
  window.coloured = {};
  window.frames = [];
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const { id, status } = target.dataset;
      if (status === "completed") window.coloured[id] ??= Date.now();
    }
  }).observe(document.querySelector(".react-flow"), {
    subtree: true,
    attributeFilter: ["data-status"],
  });
  let last = performance.now();
  const frame = (now) => {
    window.frames.push(now - last);
    last = now;
    if (window.frames.length < 5000) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}"""
"""Note when each node turns to its colour, and how long each frame takes."""


def chains() -> dict[str, Any]:
    """Return a workflow of 302 nodes: chains of expressions, which are computed one by one."""
    nodes: list[dict[str, Any]] = [place("form", "requestInput", 0, 0, fields=[])]
    edges: list[dict[str, Any]] = []
    for row in range(CHAINS):
        before, output = "form", "params"
        for column in range(LENGTH):
            node_id = f"n{row}-{column}"
            data = {"expression": "value"}
            nodes.append(place(node_id, "transform", column + 1, row, **data))
            edges.append(wire(before, output, node_id, "value-in"))
            before, output = node_id, "value-out"
        edges.append(wire(before, output, "result", "result-in"))
    nodes.append(place("result", "responseOutput", LENGTH + 1, 0))
    return {"name": "Three hundred nodes", "nodes": nodes, "edges": edges}


def place(node_id: str, kind: str, column: int, row: int, **data: Any) -> dict[str, Any]:
    position = {"x": column * 320, "y": row * 220}
    return {"id": node_id, "type": kind, "position": position, "data": data}


def wire(source: str, output: str, target: str, socket: str) -> dict[str, str]:
    ends = {"sourceHandle": output, "targetHandle": socket}
    return {"id": f"{source}-{target}", "source": source, "target": target, **ends}


def ended_at(node: dict[str, Any]) -> float:
    """Return when a node ended, in milliseconds."""
    begun = datetime.fromisoformat(node["startedAt"]).timestamp() * 1_000
    return float(begun + node["durationMs"])


def p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


def test_three_hundred_nodes_are_coloured_as_they_end(page: Page, stack: RunningStack) -> None:
    _, created = stack.api("POST", "/api/workflows", chains())
    slug = created["slug"]
    page.goto(f"/app/editor/{slug}")
    page.get_by_role("article", name="Response Output result").wait_for()
    page.evaluate(WATCH)
    page.wait_for_timeout(1_000)
    idle = page.evaluate("window.frames.splice(0)")

    page.keyboard.press("Control+Enter")

    expect(page.get_by_role("status", name="Run")).to_contain_text("The run is completed")
    frames = page.evaluate("window.frames.splice(0)")
    coloured = page.evaluate("window.coloured")
    _, rows = stack.api("GET", f"/api/executions?workflowSlug={slug}&limit=1")
    _, execution = stack.api("GET", f"/api/executions/{rows['rows'][0]['executionId']}")
    lags = [coloured[node["id"]] - ended_at(node) for node in execution["nodes"]]
    assert len(lags) == CHAINS * LENGTH + 2
    print(
        f"\nto colour p95 {p95(lags):.0f} ms; frame p95 {p95(frames):.1f} ms of {len(frames)},"
        f" idle {p95(idle):.1f} ms; run {execution['durationMs']} ms"
    )
    assert p95(lags) < MOST_MS
    assert p95(frames) < MOST_FRAME_MS
