import pytest

from gateway.mcp.oauth.client_names import MAX_NAME, NAMELESS, shown_name

pytestmark = pytest.mark.A99c


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Claude", "Claude"),
        ("  Claude \n Desktop ", "Claude Desktop"),
        ("\u202eedualC", "edualC"),
        ("Cla\u200bude", "Cla ude"),
        ("Claude\x00\x1b[31m", "Claude [31m"),
        ("Grüße 日本", "Grüße 日本"),
        ("<b>Claude</b>", "<b>Claude</b>"),
        ("x" * 200, "x" * MAX_NAME),
        ("", "notes.example"),
        (None, "notes.example"),
        ("\u200b\u2066", "notes.example"),
    ],
)
def test_a_name_is_one_short_visible_line(name: str | None, shown: str) -> None:
    assert shown_name(name, "https://notes.example/callback") == shown


def test_a_program_without_name_and_host_is_nameless() -> None:
    assert shown_name("", "com.example:/callback") == NAMELESS
