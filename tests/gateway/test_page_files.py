"""Files of the built pages."""

import pytest

from gateway.page_files import PageFile

FILE = PageFile(b"plain", "text/javascript", {"br": b"smallest", "gzip": b"small"})


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("gzip, deflate, br", (b"smallest", "br")),
        ("GZIP;q=0.5", (b"small", "gzip")),
        ("br;q=0, gzip", (b"small", "gzip")),
        ("identity", (b"plain", None)),
        ("", (b"plain", None)),
    ],
)
def test_the_smallest_form_that_the_browser_takes_is_chosen(
    accepted: str, chosen: tuple[bytes, str | None]
) -> None:
    assert FILE.choose(accepted) == chosen
