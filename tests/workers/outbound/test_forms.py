"""Forms: a server reads the values that were filled in."""

from typing import Any

import pytest
from starlette.datastructures import Headers

from deploy.stub_provider.exchange import read_body
from engine.errors.nodes import NodeFailed
from workers.outbound.forms import Form, FormFile

BYTES = bytes(range(256)) + b"\r\n--\r\n\n\r"


async def read(form: Form) -> Any:
    content_type, body = await form.pack()
    return read_body(Headers({"content-type": content_type}), body)


def image(name: str, data: bytes = BYTES) -> FormFile:
    return FormFile(name=name, content_type="image/png", data=data)


async def test_a_form_is_read_as_it_was_filled_in() -> None:
    fields = {
        "prompt": "Zwei\r\nZeilen \u2013 \U0001f600",
        "n": 2,
        "high": True,
        "more": {"a": [1]},
    }

    read_again = await read(Form(fields=fields, files=[image("image[]"), image("image[]", b"2")]))

    texts = {"prompt": fields["prompt"], "n": "2", "high": "true", "more": '{"a":[1]}'}
    assert read_again == {**texts, "image": [BYTES, b"2"]}


async def test_files_are_named_by_their_content_type() -> None:
    files = [image("image[]"), FormFile(name="mask", content_type="image/webp", data=b"x")]

    _, body = await Form(fields={}, files=files).pack()

    for kind, head in (
        (b"image/png", b'name="image[]"; filename="1.png"'),
        (b"image/webp", b'name="mask"; filename="2.webp"\r\n\r\nx\r\n'),
    ):
        said = b"Content-Type: " + kind + b"\r\nContent-Disposition: form-data; " + head
        assert said in body


async def test_every_form_has_a_boundary_of_its_own() -> None:
    boundaries = {(await Form(fields={"a": 1}, files=[]).pack())[0] for _ in range(20)}

    assert len(boundaries) == 20
    assert min(len(each.partition("boundary=")[2]) for each in boundaries) == 32


@pytest.mark.parametrize("name", ["", 'a"; filename="x', "a\r\nb: c", "[]", "a[0]", "ä"])
async def test_a_name_that_would_have_to_be_escaped_is_none(name: str) -> None:
    with pytest.raises(NodeFailed) as raised:
        await Form(fields={name: "x"}, files=[]).pack()

    assert raised.value.code == "invalid_value"


async def test_text_that_is_no_unicode_is_not_sent() -> None:
    with pytest.raises(UnicodeEncodeError):
        await Form(fields={"prompt": "\ud800"}, files=[]).pack()
