"""Pictures of pages, made by Chromium."""

import io
import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
COLOURS = 160
"""Colours of a picture, which keep its file small."""


def find_browser() -> str | None:
    """Return the path of a browser, None without one."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def take(page: str, size: tuple[int, int], picture: Path) -> None:
    """Write a page in HTML as a PNG of this size."""
    browser = find_browser()
    assert browser is not None, "this needs chromium"
    with tempfile.TemporaryDirectory(prefix="hr-picture-") as name:
        source, shot = Path(name) / "page.html", Path(name) / "page.png"
        source.write_text(page, encoding="utf-8")
        words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        words += [f"--user-data-dir={name}/profile", f"--window-size={size[0]},{size[1]}"]
        command = [browser, *words, f"--screenshot={shot}", source.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        picture.write_bytes(_small(shot.read_bytes()))


def _small(png: bytes) -> bytes:
    found = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    found.save(packed, "PNG", optimize=True)
    return packed.getvalue()
