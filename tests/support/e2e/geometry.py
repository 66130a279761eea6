"""Geometry of the canvas as it is drawn: cards, what they contain, and sockets that can be hit."""

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

LARGE = {"width": 3600, "height": 2000}
"""A window in which every shipped workflow fits at zoom 1."""
_PIXELS_PER_DOUBLING = 500
"""The wheel's way that doubles the zoom, in pixels."""
_FAULTS = """() => {
  const faults = [];
  const cut = (one, other) => ({
    left: Math.max(one.left, other.left), right: Math.min(one.right, other.right),
    top: Math.max(one.top, other.top), bottom: Math.min(one.bottom, other.bottom),
  });
  const cards = [...document.querySelectorAll(".react-flow__node")].map((element) => ({
    id: element.dataset.id,
    element,
    box: element.querySelector(".node, .canvas-note").getBoundingClientRect(),
  }));
  for (const [place, one] of cards.entries())
    for (const other of cards.slice(place + 1)) {
      const { left, right, top, bottom } = cut(one.box, other.box);
      if (right - left > 0.5 && bottom - top > 0.5) faults.push(`${one.id} lies on ${other.id}`);
    }
  for (const { id, element, box } of cards) {
    for (const part of element.querySelectorAll("*")) {
      if (part.matches(".socket") || !part.checkVisibility({ visibilityProperty: true })) continue;
      let seen = part.getBoundingClientRect();
      for (let around = part.parentElement; around !== element; around = around.parentElement)
        if (getComputedStyle(around).overflow !== "visible")
          seen = cut(seen, around.getBoundingClientRect());
      if (seen.right - seen.left <= 0 || seen.bottom - seen.top <= 0) continue;
      const out = Math.max(
        box.left - seen.left, seen.right - box.right, box.top - seen.top, seen.bottom - box.bottom,
      );
      const name = part.getAttribute("class") ?? part.localName;
      if (out > 1) faults.push(`${name} of ${id} is ${Math.round(out)} px outside of its card`);
    }
    for (const socket of element.querySelectorAll(".socket")) {
      const { left, right, top, bottom } = socket.getBoundingClientRect();
      const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      if (hit?.closest(".socket") !== socket)
        faults.push(`${socket.dataset.socket} of ${id} is covered by ${hit?.className}`);
    }
    const titles = element.querySelector(".node-titles")?.getBoundingClientRect();
    const hit = titles &&
      document.elementFromPoint((titles.left + titles.right) / 2, (titles.top + titles.bottom) / 2);
    if (titles && !hit?.closest(".node-titles")) faults.push(`the title of ${id} is covered`);
  }
  return faults;
}"""
_PLACES = """() => {
  const zoom = ZOOM;
  return Object.fromEntries([...document.querySelectorAll(".react-flow__node")].map((node) => {
    const top = node.getBoundingClientRect().top;
    const heights = [...node.querySelectorAll(".socket")].map((socket) => {
      const box = socket.getBoundingClientRect();
      return Math.round(((box.top + box.bottom) / 2 - top) / zoom);
    });
    return [node.dataset.id, [node.style.transform, node.offsetWidth, node.offsetHeight, heights]];
  }));
}"""
_ZOOM = (
    "new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform).a"
)


def faults(page: "Page") -> list[str]:
    """Return cards that overlap, parts outside of their card, and sockets or titles covered."""
    return list(page.evaluate(_FAULTS))


def places(page: "Page") -> dict[str, Any]:
    """Return place and size of each card and the heights of its sockets, in units of the canvas."""
    return dict(page.evaluate(_PLACES.replace("ZOOM", _ZOOM)))


def zoom_to(page: "Page", zoom: float) -> None:
    """Zoom with the wheel, about the middle of the canvas."""
    box = page.locator(".react-flow__pane").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.wheel(0, -_PIXELS_PER_DOUBLING * math.log2(zoom / page.evaluate(_ZOOM)))
    page.wait_for_function(f"() => Math.abs({_ZOOM} - {zoom}) < 0.005")
