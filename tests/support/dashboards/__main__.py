"""Draw the dashboards of a real stack: `python -m tests.support.dashboards FOLDER [SECONDS]`."""

import sys
import tempfile
from pathlib import Path

from tests.support.dashboards.page import WIDTH, make_page
from tests.support.dashboards.reading import NAMES
from tests.support.dashboards.scene import Scene, playing
from tests.support.dashboards.screenshot import take

SECONDS = 200.0


def draw(scene: Scene, folder: Path) -> None:
    """Write a picture of each dashboard into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        page, height = make_page(scene.prometheus, name, scene.span)
        picture = folder / f"dashboard-{name}.png"
        take(page, (WIDTH, height), picture)
        print(picture, flush=True)


def main(folder: str, seconds: str = f"{SECONDS}") -> None:
    """Play the scene and draw it."""
    with (
        tempfile.TemporaryDirectory(prefix="hr-dashboards-") as name,
        playing(Path(name), float(seconds), is_history_away=True) as scene,
    ):
        draw(scene, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
