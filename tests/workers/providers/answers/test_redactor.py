"""Redaction of keys in texts that come in pieces."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.http.providers import KEY, Provider
from tests.support.models.streams import DONE, STOP, Listener, chat, delta, stream
from workers.providers.answers.redactor import SecretRedactor


async def test_a_key_that_comes_in_pieces_is_redacted(
    listener: Listener, provider: Provider
) -> None:
    pieces = [delta(KEY[at : at + 3]) for at in range(0, len(KEY), 3)]
    provider.answers = [stream(delta("My key: "), *pieces, delta(". Or sk-te"), STOP, DONE)]

    answer = await listener.call(chat())

    assert answer.value == "My key: [secret]. Or sk-te"
    assert listener.pieces == ["My key: ", "[secret]", ". Or ", "sk-te"]


SECRETS = ["abcab", "abxyz", "abca", "xx/y", "zz"]
"""One begins another, one ends as another begins, one is written otherwise in URLs."""


@given(st.lists(st.sampled_from([*"abcxyz/% ", "abcab", "abxyz", "xx/y", "xx%2Fy"]), max_size=20))
def test_the_redacted_text_is_the_same_in_any_pieces(pieces: list[str]) -> None:
    text, whole, redactor = "".join(pieces), SecretRedactor(SECRETS), SecretRedactor(SECRETS)

    redacted = [redactor.redact_piece(letter) for letter in text]

    assert "".join(redacted) + redactor.flush() == whole.redact_piece(text) + whole.flush()


@given(st.lists(st.sampled_from([*"abcxyz", "abcab", "abxyz", "xx/y", "xx%2Fy"]), max_size=20))
def test_no_secret_passes_in_any_pieces(pieces: list[str]) -> None:
    redactor = SecretRedactor(SECRETS)

    redacted = "".join(map(redactor.redact_piece, pieces)) + redactor.flush()

    assert not any(secret in redacted for secret in ("abcab", "abxyz", "abca", "xx/y", "xx%2Fy"))


def test_nothing_is_held_back_that_cannot_become_a_secret() -> None:
    redactor = SecretRedactor(["secret-key"])

    assert [redactor.redact_piece(each) for each in ("a", "se", "cond", "sec", "ret-key", ".")] == [
        "a",
        "",
        "second",
        "",
        "[secret]",
        ".",
    ]
