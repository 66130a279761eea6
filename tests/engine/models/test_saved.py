"""Manifests saved over HTTP: keys are sent only to destinations in manifests on disk."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.models import folder
from engine.models.manifest import ManifestError, parse_manifest
from engine.models.registry import (
    all_models,
    find_model,
    generation,
    key_destinations_on_disk,
    use_folder,
    use_saved,
)
from engine.models.saved import MAX_BYTES, KeyDestination, key_destinations, parse_saved
from tests.support.manifests import manifest, model
from tests.support.process.cpu_time import cpu_limit

HOST = "https://api.example.com"
PLACE = f"{HOST}/v1"


def calling(url: str = PLACE, key: str = "EXAMPLE_KEY", more: str = "", name: str = "own") -> str:
    """Return a manifest that sends a key to a provider."""
    keyed = f'api_key_env = "{key}"\n' if key else ""
    return manifest(name, call=f'[openai]\nbase_url = "{url}"\nmodel = "m"\n{keyed}{more}')


DISK = key_destinations([parse_manifest(calling(), "own.toml"), model("plain")])


def reasons(text: str, name: str | None = None) -> list[tuple[int | None, str]]:
    with pytest.raises(ManifestError) as refused:
        parse_saved(text, DISK, name)
    return [(fault.line, fault.reason) for fault in refused.value.faults]


def line_of(text: str, member: str) -> int:
    return next(n for n, line in enumerate(text.split("\n"), 1) if line.startswith(member))


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(folder, "SCAN_SECONDS", 0.0)
    yield tmp_path
    use_saved(())
    use_folder("")


@pytest.mark.parametrize("url", [PLACE, f"{PLACE}/other", "https://API.example.com:443/v1"])
def test_a_key_may_go_where_a_manifest_on_disk_sends_it(url: str) -> None:
    assert parse_saved(calling(url), DISK).internal_name == "own"


def test_a_call_without_a_key_may_go_anywhere() -> None:
    assert parse_saved(calling("http://10.0.0.7:8000/v1", key=""), DISK)
    assert parse_saved(manifest(), DISK)


@pytest.mark.parametrize("host", ["169.254.169.254", "[fd00:ec2::254]", "metadata.google.internal"])
def test_no_manifest_saved_or_on_disk_may_name_a_metadata_service(host: str) -> None:
    text = calling(f"http://{host}/latest", key="")
    fault = "openai.base_url: The URL leads to a link-local address or a metadata service"

    assert reasons(text) == [(line_of(text, "base_url"), fault)]
    with pytest.raises(ManifestError, match="metadata"):
        parse_manifest(text, "own.toml")


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example",
        "https://api.example.com.evil.example",
        "https://evil.example/api.example.com",
        "http://api.example.com",
        "https://api.example.com:8443",
    ],
)
def test_a_key_goes_to_no_other_host_port_or_scheme(url: str) -> None:
    ((line, reason),) = reasons(calling(url))

    assert calling(url).splitlines()[(line or 0) - 1].startswith("api_key_env")
    assert reason.startswith("openai.api_key_env: no manifest on disk sends EXAMPLE_KEY to http")
    assert reason.endswith("put this manifest into HEADRACE_MODELS_DIR instead")


@pytest.mark.parametrize(
    "url",
    [HOST, f"{HOST}/v2", f"{HOST}/v1x", f"{HOST}/V1", f"{HOST}//v1", f"{HOST}/proxy/v1"],
)
def test_a_key_goes_to_no_other_path_of_its_host(url: str) -> None:
    ((_, reason),) = reasons(calling(url))

    assert reason.startswith("openai.api_key_env: no manifest on disk sends EXAMPLE_KEY to http")


@pytest.mark.parametrize(
    "up", ["..", "a/../../x", ".", "%2e%2E", "..%2fx", "%252e%252e", "a%5c..%5cx"]
)
@pytest.mark.parametrize("member", ["base_url", "path", "path/", "job.cancel_path"])
def test_no_path_leads_out_of_the_place_of_a_key(up: str, member: str) -> None:
    base = f"{PLACE}/{up}" if member == "base_url" else PLACE
    path = {"path": f"/{up}", "path/": f"/a/{{{{ prompt }}}}/{up}"}.get(member, "/a")
    cancel = f"/b/{up}?c={{{{ job }}}}" if member == "job.cancel_path" else "/c"
    job = 'path = "/{{ job }}"\nid = "a"\nstatus = "b"\ndone = ["x"]\nfailed = ["y"]\n'
    call = f'[http]\nbase_url = "{base}"\napi_key_env = "EXAMPLE_KEY"\npath = "{path}"\n'
    call += f'result = "a"\n[http.job]\n{job}cancel_path = "{cancel}"\n'

    found = {reason for _, reason in reasons(manifest(call=call))}

    assert found == {f"http.{member.rstrip('/')} may not have '.' or '..' as a part"}


@pytest.mark.parametrize("key", ["HEADRACE_SECRET_KEY", "PATH", "OTHER_KEY"])
def test_no_other_variable_goes_to_a_host_that_is_known(key: str) -> None:
    ((_, reason),) = reasons(calling(key=key))

    assert f"no manifest on disk sends {key} to {HOST}:443" in reason


@pytest.mark.parametrize("section", ["openai", "anthropic", "http"])
def test_every_section_is_held_to_it(section: str) -> None:
    more = 'path = "/"\nresult = "a"' if section == "http" else 'model = "m"'
    call = f'[{section}]\nbase_url = "https://evil.example"\napi_key_env = "EXAMPLE_KEY"\n{more}'

    ((_, reason),) = reasons(manifest(call=call))

    assert reason.startswith(f"{section}.api_key_env: ")


def test_no_variable_says_where_a_saved_call_goes() -> None:
    more = 'base_url_env = "HEADRACE_REDIS_URL"\n'

    ((line, reason),) = reasons(calling(more=more))

    assert calling(more=more).splitlines()[(line or 0) - 1] == more.strip()
    assert reason.startswith("openai.base_url_env may not be saved over HTTP; put this manifest")


@pytest.mark.parametrize("header", ["Authorization", "x-API-key", "Cookie", "my-key"])
def test_keys_are_not_typed_into_headers(header: str) -> None:
    more = f'key_header = "my-key"\nheaders = {{ "{header}" = "sk-1" }}\n'

    ((_, reason),) = reasons(calling(more=more))

    assert reason.startswith(f"openai.headers.{header} may hold a key")
    assert "sk-1" not in reason


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = calling("https://evil.example").replace('tier = "free"', 'tier = "gold"')

    found = reasons(text, "other")

    assert [(line, reason.split(" ")[0]) for line, reason in found] == [
        (4, "tier"),
        (1, "internalName"),
        (len(text.splitlines()), "openai.api_key_env:"),
    ]


def test_a_manifest_over_the_limit_is_not_read() -> None:
    text = manifest(head=f"# {'é' * (MAX_BYTES // 2)}\n")

    assert reasons(text) == [(None, "A manifest has at most 65536 bytes")]


@pytest.mark.parametrize(
    "part",
    [
        "a." * 30_000 + "a = 1",
        "[" + "a." * 30_000 + "a]",
        "a = " + "[" * 60_000,
        "a = " + "{a=" * 15_000,
        "a = " + "9" * 60_000,
        "[[a]]\n" * 10_000,
        "\n".join(f"a.{'b.' * 195}c{n} = 1" for n in range(150)),
    ],
    ids=["parts", "header", "lists", "tables", "digits", "items", "rows"],
)
def test_what_is_hard_to_read_is_refused_soon(part: str) -> None:
    with cpu_limit(5):
        assert reasons(manifest() + part)


@pytest.mark.parametrize(
    "head",
    [
        "enabled = 1979-05-27",
        "source = nan",
        "trial = { days = inf }",
        "trial = { days = nan }",
        "limits = { concurrency = -inf }",
        "fallback = [1979-05-27]",
    ],
)
def test_values_that_json_has_not_are_refused(head: str) -> None:
    assert reasons(manifest(head=f"{head}\n"))


# -- in the registry ------------------------------------------------------------------------------


def test_a_saved_model_counts_before_one_of_the_folder_and_that_before_one_that_ships(
    own: Path,
) -> None:
    (own / "echo.toml").write_text(manifest("echo", tier="pro"))

    shipped = find_model("echo")
    use_folder(str(own))
    folders = find_model("echo")
    use_saved([saved := model("echo")])
    found = find_model("echo")
    use_saved(())

    assert shipped is not None and shipped.name.startswith("Echo")
    assert folders is not None and folders.tier == "pro"
    assert found is saved
    assert find_model("echo") == folders


def test_every_change_of_what_is_saved_is_another_generation() -> None:
    numbers = [generation(), generation()]

    for models in ([model("mine")], [model("mine")], [], ()):
        use_saved(models)
        numbers.append(generation())

    assert numbers[0] == numbers[1] < numbers[2] == numbers[3] < numbers[4] == numbers[5]
    assert find_model("mine") is None


def test_what_ships_and_the_folder_say_where_keys_go(own: Path) -> None:
    (own / "own.toml").write_text(calling())
    before = key_destinations_on_disk()

    use_folder(str(own))

    assert KeyDestination("https://api.anthropic.com:443", "", "ANTHROPIC_API_KEY") in before
    assert KeyDestination("https://api.openai.com:443", "/v1", "OPENAI_API_KEY") in before
    assert key_destinations_on_disk() - before == {
        KeyDestination(f"{HOST}:443", "/v1", "EXAMPLE_KEY")
    }


def test_a_key_goes_where_a_variable_has_moved_its_provider_and_not_where_it_was(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = "http://gateway.example:8080/openai"
    monkeypatch.setenv("EXAMPLE_URL", moved)
    (own / "disk.toml").write_text(calling(name="disk", more='base_url_env = "EXAMPLE_URL"\n'))
    use_folder(str(own))
    use_saved(
        [
            parse_manifest(calling(f"{moved}/v1", name="new"), "saved"),
            parse_manifest(calling(name="old"), "saved"),
        ]
    )

    assert find_model("new") is not None
    assert find_model("old") is None


def test_a_saved_model_is_left_out_once_no_manifest_on_disk_sends_its_key_there(
    own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    use_folder(str(own))
    (own / "disk.toml").write_text(calling(name="disk"))
    use_saved([parse_manifest(calling(name="saved"), "saved")])
    assert find_model("saved") is not None

    (own / "disk.toml").write_text(calling("https://moved.example.com", name="disk"))
    os.utime(own / "disk.toml", (1, 1))

    with caplog.at_level(logging.WARNING):
        assert find_model("saved") is None
    assert "disk" in [each.internal_name for each in all_models()]
    (record,) = [each for each in caplog.records if each.msg == "a saved manifest is left out"]
    assert record.__dict__["model"] == "saved"
