import pytest

from engine.errors import InvalidIdempotencyKey
from engine.ids.idempotency import make_idempotency_key, parse_key

UUID = "8e03978e-40d5-43dd-bc93-6894a57f9324"


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (UUID, UUID),
        (f'"{UUID}"', UUID),
        (f" \t{UUID} ", UUID),
        ("a", "a"),
        ("~!", "~!"),
        ("x" * 255, "x" * 255),
        ('"' + "x" * 255 + '"', "x" * 255),
        (r'"a\"b\\c"', r'a"b\c'),
        ('a"b', 'a"b'),
        (r"a\b", r"a\b"),
    ],
)
def test_a_key_is_the_same_quoted_or_bare(header: str, key: str) -> None:
    assert parse_key(header) == key


@pytest.mark.parametrize(
    "header",
    [
        *("", " ", '""', '"', '"a', '"a"b"', '"a"; x=1', '"a", "b"', "a b", '"a b"', "a\tb"),
        *("é", "\x7f", "a\x00", "a\n", "ключ", '"\\a"', "x" * 256, '"' + "x" * 256 + '"'),
        "x" * 10_000,
    ],
)
def test_what_is_no_key_is_refused(header: str) -> None:
    with pytest.raises(InvalidIdempotencyKey):
        parse_key(header)


def test_a_record_is_named_by_method_path_and_key() -> None:
    names = {
        make_idempotency_key(method, path, key, b"").digest
        for method in ("POST", "PUT")
        for path in ("/a", "/a/b")
        for key in ("k", "k2")
    }

    assert len(names) == 8
    assert (
        make_idempotency_key("POST", "/a", '"k"', b"").digest
        == make_idempotency_key("POST", "/a", "k", b"x").digest
    )


def test_a_body_is_told_by_its_very_bytes() -> None:
    bodies = (b"{}", b"{ }", b"")

    assert len({make_idempotency_key("POST", "/a", "k", body).fingerprint for body in bodies}) == 3
