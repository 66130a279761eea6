"""Sections of dialects: members, defaults and faults."""

from typing import Any, cast

import pytest

from engine.models.dialects.anthropic import AnthropicSection
from engine.models.dialects.http import HttpSection, MediaSection
from engine.models.dialects.openai import OpenAIApi, OpenAISection
from engine.models.manifest import ManifestError, parse_manifest
from tests.support.manifests import field, manifest, model

AT = 'base_url = "https://api.example/v1"\n'
PICTURE_FIELDS = """
[[fields]]
name = "prompt"
type = "text"

[[fields]]
name = "first"
type = "image"

[[fields]]
name = "second"
type = "image"
"""
JOB = """
[http]
base_url = "https://api.example"
path = "/jobs"
result = "output"

[http.job]
id = "id"
path = "/jobs/{{ job }}"
status = "status"
done = ["ok", 2]
failed = ["no"]
"""


def section(call: str, **parts: str) -> Any:
    return model(call=call, **parts).call


def faults(call: str, **parts: str) -> list[str]:
    with pytest.raises(ManifestError) as raised:
        parse_manifest(manifest(call=call, **parts), "m.toml")
    return [fault.reason for fault in raised.value.faults]


# -- what is taken for granted --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("category", "api"),
    [
        ("text", OpenAIApi.CHAT),
        ("image", OpenAIApi.IMAGES),
        ("audio", OpenAIApi.SPEECH),
        ("video", OpenAIApi.CHAT),
    ],
)
def test_the_category_says_which_part_of_openais_protocol_is_spoken(
    category: str, api: OpenAIApi
) -> None:
    found = cast(OpenAISection, section(f'[openai]\n{AT}model = "m"', category=category))

    assert found.api is api


def test_a_text_model_with_a_sound_transcribes_it_and_a_speaker_says_the_field_text() -> None:
    sounds = "".join(field(name, name) for name in ("audio", "video", "image"))
    call = f'[openai]\n{AT}model = "m"'

    hears = cast(OpenAISection, section(call, fields=sounds))
    says = cast(
        OpenAISection,
        section(call, category="audio", fields=field("text")),
    )

    assert (hears.api, hears.audio.names) == (OpenAIApi.TRANSCRIPTION, {"audio", "video"})
    assert (says.api, says.prompt.names) == (OpenAIApi.SPEECH, {"text"})


def test_a_manifest_may_say_another_part_of_the_protocol() -> None:
    assert section(f'[openai]\n{AT}model = "m"\napi = "speech"').api is OpenAIApi.SPEECH


def test_fields_are_what_they_are_called_and_all_images_are_looked_at() -> None:
    found = cast(OpenAISection, section(f'[openai]\n{AT}model = "m"', fields=PICTURE_FIELDS))
    values = {"prompt": "p", "first": "one", "second": "two", "system": "s"}

    assert found.prompt.fill(values) == "p"
    assert found.images.fill(values) == ["one", "two"]
    assert found.system.fill(values) == []


def test_a_key_goes_where_its_protocol_has_it() -> None:
    openai = cast(OpenAISection, section(f'[openai]\n{AT}model = "m"')).endpoint
    anthropic = cast(AnthropicSection, section('[anthropic]\nmodel = "m"')).endpoint
    call = f'[http]\n{AT}path = "/"\nresult = "x"\nkey_header = "x-key"'
    own = cast(HttpSection, section(call)).endpoint

    assert (openai.key_header, openai.key_prefix) == ("Authorization", "Bearer ")
    assert (anthropic.key_header, anthropic.key_prefix) == ("x-api-key", "")
    assert anthropic.base_url == "https://api.anthropic.com"
    assert (own.key_header, own.key_prefix) == ("x-key", "")


def test_a_job_has_more_time_than_a_call() -> None:
    call = cast(HttpSection, section(f'[http]\n{AT}path = "/"\nresult = "x"'))
    job = cast(HttpSection, section(JOB))

    assert (call.endpoint.timeout_seconds, job.endpoint.timeout_seconds) == (300, 600)
    assert (call.method, call.media, call.job) == ("POST", MediaSection.URL, None)
    assert job.job is not None
    assert (job.job.done, job.job.failed) == ({"ok", "2"}, {"no"})


def test_what_a_provider_is_called_does_not_depend_on_its_models() -> None:
    first = cast(OpenAISection, section(f'[openai]\n{AT}model = "a"\napi_key_env = "KEY"'))
    second = cast(OpenAISection, section(f'[openai]\n{AT}model = "b"\napi_key_env = "KEY"'))

    assert first.endpoint == second.endpoint


# -- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("[openai]\nmodel = 'm'", "openai.base_url is missing"),
        (f"[openai]\n{AT}", "openai.model is missing"),
        (f"[openai]\n{AT}model = 5", "openai.model must be a text of 1 to 500 characters"),
        (f"[openai]\n{AT}model = 'm'\napi = 'x'", "openai.api must be one of chat, images, speech"),
        ("[openai]\nbase_url = 'ftp://x'\nmodel = 'm'", "openai.base_url: "),
        ("[openai]\nbase_url = 'https://x.example/'\nmodel = 'm'", "openai.base_url must end"),
        (
            f"[openai]\n{AT}model = 'm'\napi_key_env = 'sk-123'",
            "openai.api_key_env must be the name of an environment variable",
        ),
        (f"[openai]\n{AT}model = 'm'\nkey_header = 'Host'", "openai.key_header "),
        (f"[openai]\n{AT}model = 'm'\nheaders = {{ Host = 'x' }}", "openai.headers.Host "),
        (f"[openai]\n{AT}model = 'm'\nheaders = 5", "openai.headers must be a table"),
        (f"[openai]\n{AT}model = 'm'\nprompt = '{{{{ nobody }}}}'", "openai.prompt has 'nobody'"),
        (f"[openai]\n{AT}model = 'm'\n[openai.body]\na = '{{{{'", "openai.body.a: "),
        (f"[openai]\n{AT}model = 'm'\ntimeout_seconds = 0", "openai.timeout_seconds must be"),
        ("[anthropic]\nmodel = 'm'\napi = 'chat'", "anthropic.api is unknown"),
        (f"[http]\n{AT}result = 'x'", "http.path is missing"),
        (f"[http]\n{AT}path = '/'", "http.result is missing"),
        (f"[http]\n{AT}path = 'x'\nresult = 'x'", "http.path must begin with '/'"),
        (f"[http]\n{AT}path = '{{{{ prompt }}}}'\nresult = 'x'", "http.path must begin with '/'"),
        (f"[http]\n{AT}path = '/'\nresult = '$.x'", "http.result must be a path like"),
        (f"[http]\n{AT}path = '/'\nresult = 5", "http.result must be a path or a list of paths"),
        (f"[http]\n{AT}path = '/'\nresult = 'x'\nmedia = 'tape'", "http.media must be one of"),
        (f"[http]\n{AT}path = '/'\nresult = 'x'\njob = 5", "http.job must be a table"),
        (JOB.replace('id = "id"\n', ""), "http.job.id is missing"),
        (JOB.replace('done = ["ok", 2]', "done = []"), "http.job.done must be a list"),
        (JOB.replace("{{ job }}", "{{ task }}"), "http.job.path has 'task'"),
        (f"{JOB}\n[http.usage]\nminutes = 'x'", "http.usage.minutes is unknown"),
    ],
)
def test_what_is_wrong_is_told_by_its_place(call: str, reason: str) -> None:
    assert [each for each in faults(call) if each.startswith(reason)]


def test_everything_that_is_wrong_is_told_at_once_with_its_line() -> None:
    call = "[http]\nbase_url = 'x'\npath = 'y'\nresult = '$'\n"
    call += "\n[http.job]\nid = 'id'\nstatus = '?'\n"

    with pytest.raises(ManifestError) as raised:
        parse_manifest(manifest(call=call), "m.toml")

    text = str(raised.value)
    start = manifest(call=call).split("\n").index("[http]") + 1
    lines = {line.split(": ")[0] for line in text.splitlines()}
    assert {f"m.toml:{start + offset}" for offset in (1, 2, 3, 5, 7)} <= lines


def test_where_fields_are_wrong_sections_are_not_blamed_for_them() -> None:
    reasons = faults(f"[openai]\n{AT}model = 'm'", fields="[[fields]]\nname = 5\ntype = 'text'\n")

    assert all(reason.startswith("fields[0]") for reason in reasons)


# -- limits, fallback and source ------------------------------------------------------------------


def test_limits_fallback_and_source_are_kept() -> None:
    head = (
        'source = "https://docs.example/x"\npriceSource = "https://docs.example/y"\n'
        'fallback = ["a", "b"]\n'
    )
    call = f"[openai]\n{AT}model = 'm'\n[limits]\nrequests_per_minute = 60\nconcurrency = 4\n"

    found = model(head=head, call=call)

    assert (found.source, found.fallback) == ("https://docs.example/x", ("a", "b"))
    assert found.price_source == "https://docs.example/y"
    assert (found.limits.requests_per_minute, found.limits.concurrency) == (60, 4)
    assert found.limits.tokens_per_minute is None


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("source = 5\n", "source must be a text"),
        ("priceSource = 5\n", "priceSource must be a text"),
        ('fallback = "other"\n', "fallback must be a list"),
        ('fallback = ["own"]\n', "fallback must be a list of at most 5 internal names of other"),
        (f"fallback = {[str(number) for number in range(6)]}\n", "fallback must be a list"),
        ("limits = 5\n", "limits must be a table, [limits]"),
        ("limits = { requests_per_minute = 0 }\n", "limits.requests_per_minute must be a whole"),
        ("limits = { per_day = 1 }\n", "limits.per_day is unknown"),
    ],
)
def test_what_is_wrong_at_the_top_is_told(head: str, reason: str) -> None:
    (found,) = faults('[builtin]\ntemplate = "x"', head=head)

    assert found.startswith(reason)


# -- images as bytes ------------------------------------------------------------------------------


def test_fields_that_go_as_data_are_media() -> None:
    call = f'[http]\n{AT}path = "/"\nresult = "x"\ninline = '

    found = cast(HttpSection, section(f'{call}["first", "second"]', fields=PICTURE_FIELDS))

    assert found.inline == ("first", "second")
    assert faults(f'{call}["first", "prompt", "third"]', fields=PICTURE_FIELDS) == [
        "http.inline has 'prompt', and no image, video, audio or file is called that",
        "http.inline has 'third', and no image, video, audio or file is called that",
    ]


def test_a_mask_is_none_but_what_a_manifest_says() -> None:
    call = f'[openai]\n{AT}model = "m"\napi = "images"\n'

    plain = cast(OpenAISection, section(call, fields=PICTURE_FIELDS))
    masked = cast(OpenAISection, section(f'{call}mask = "{{{{ second }}}}"', fields=PICTURE_FIELDS))

    assert plain.mask.fill({"second": "two"}) == []
    assert masked.mask.fill({"second": "two"}) == "two"


def test_a_mask_is_no_image_of_its_own() -> None:
    call = f'[openai]\n{AT}model = "m"\napi = "images"\n'

    masked = cast(OpenAISection, section(f'{call}mask = "{{{{ second }}}}"', fields=PICTURE_FIELDS))

    assert masked.images.fill({"first": "one", "second": "two"}) == ["one"]
