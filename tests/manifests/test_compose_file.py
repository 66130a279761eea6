"""The Compose file is sound by itself: no tool, no engine."""

import re
from dataclasses import fields
from ipaddress import ip_address, ip_network

import pytest

from engine.settings import PREFIX, Settings
from tests.support.compose.compose_file import (
    FILE as PATH,
)
from tests.support.compose.compose_file import (
    PAGE,
    SECRETS,
    SERVICES_OF_OURS,
    read_file,
)

FILE = read_file()
SERVICES = FILE["services"]
ENDING = ["init", "migrate", "watch", "demo", "cli"]
LONG_LIVED = sorted(SERVICES.keys() - set(ENDING))
ELSEWHERE = {"HEADRACE_HEALTH_HOST", "HEADRACE_HEALTH_PORT"}


def variables(service: str) -> dict[str, str | None]:
    found: dict[str, str | None] = SERVICES[service].get("environment", {})
    return found


def test_each_variable_of_ours_is_a_setting() -> None:
    settings = {PREFIX + field.name.upper() for field in fields(Settings)} | ELSEWHERE
    named = {name for service in SERVICES for name in variables(service)}

    assert {name for name in named if name.startswith(PREFIX)} <= settings
    assert "HEADRACE_REDIS_URL" in named


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_an_image_has_a_version(service: str) -> None:
    image = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", SERVICES[service]["image"])

    assert re.fullmatch(r"[\w/-]+:v?\d+\.\d+(\.\d+)?", image)


def test_each_secret_is_required_once_with_a_sentence() -> None:
    texts = [str(service) for service in SERVICES.values()]
    required = [found for text in texts for found in re.findall(r"\$\{(\w+):\?([^}]*)\}", text)]

    assert sorted(name for name, _ in required) == sorted(SECRETS)
    assert {sentence for _, sentence in required} == {
        "make .env by `docker run --rm headrace:0.3.0 env > .env`"
    }


@pytest.mark.parametrize("service", sorted(SERVICES_OF_OURS))
def test_our_services_can_do_little(service: str) -> None:
    found = SERVICES[service]

    assert found["read_only"] is True
    assert found["user"] == "65532:65532"
    assert found["cap_drop"] == ["ALL"]
    assert "cap_add" not in found
    volumes = {each.split(":")[1] for each in found.get("volumes", ())}
    assert {each.partition(":")[0] for each in found["tmpfs"]} | volumes == {"/tmp", "/data"}
    assert bool(volumes) is (service == "watch")


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_service_is_bounded(service: str) -> None:
    found = SERVICES[service]

    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["cap_drop"] == ["ALL"]
    assert found["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert found["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}


@pytest.mark.parametrize("service", LONG_LIVED)
def test_a_service_that_stays_is_looked_at_without_a_shell(service: str) -> None:
    found = SERVICES[service]

    assert found["restart"] == "unless-stopped"
    assert found["healthcheck"]["test"][0] == "CMD"


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_a_service_with_a_configuration_in_the_file_can_be_written(service: str) -> None:
    # Compose copies such a configuration into the container, and refuses one that is read-only.
    assert not (SERVICES[service].get("configs") and SERVICES[service].get("read_only"))


def test_only_caddy_listens_outside_and_on_this_machine_alone() -> None:
    assert [name for name, found in SERVICES.items() if found.get("ports")] == ["caddy"]
    for port in SERVICES["caddy"]["ports"]:
        assert port.startswith(("${LISTEN:-127.0.0.1}:", "127.0.0.1:"))


def test_no_other_container_is_given_the_address_of_caddy() -> None:
    # An engine gives the first free address to a container that starts earlier.
    [pool] = FILE["networks"]["front"]["ipam"]["config"]
    caddy = SERVICES["caddy"]["networks"]["front"]["ipv4_address"]
    subnet, given = (ip_network(with_prefix(pool[name])) for name in ("subnet", "ip_range"))

    assert given.subnet_of(subnet)
    assert ip_address(with_prefix(caddy)) in subnet
    assert ip_address(with_prefix(caddy)) not in given


def with_prefix(text: str) -> str:
    return text.replace("${FRONT_PREFIX:-172.30.77}", "172.30.77")


@pytest.mark.parametrize("service", ENDING)
def test_the_check_of_the_image_does_not_look_at_what_ends(service: str) -> None:
    assert SERVICES[service]["healthcheck"] == {"disable": True}


def test_what_keeps_data_has_no_way_out() -> None:
    assert FILE["networks"]["back"] == {"internal": True}
    for service in ("valkey", "postgres", "s3", "prometheus"):
        assert SERVICES[service]["networks"] == ["back"]


def test_the_files_to_watch_by_are_written_by_one_service_and_read_by_others() -> None:
    mounts = {
        name: each
        for name, found in SERVICES.items()
        for each in found.get("volumes", ())
        if isinstance(each, str) and each.startswith("watch:")
    }

    assert mounts == {
        "watch": "watch:/data",
        "caddy": "watch:/srv/watch:ro",
        "prometheus": "watch:/etc/headrace:ro",
        "grafana": "watch:/etc/headrace:ro",
    }


def test_a_stop_waits_longer_than_the_drain() -> None:
    for service in ("gateway-1", "gateway-2", "worker"):
        drain = int(variables(service)["HEADRACE_DRAIN_SECONDS"] or 0)
        assert int(SERVICES[service]["stop_grace_period"].removesuffix("s")) >= drain + 15


def test_the_page_has_each_variable_with_its_default() -> None:
    text = PATH.read_text(encoding="utf-8")
    used = dict(re.findall(r"\$\{(\w+):-([^$}]*)", text))
    page = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \| [^|]+ \|$", page, re.MULTILINE)
    told = {
        name: default
        for names, defaults in rows
        for name, default in zip(
            re.findall(r"`([A-Z_]+)`", names), re.findall(r"`([^`]+)`", defaults), strict=False
        )
    }

    # The address has a variable in it.
    assert used.pop("HEADRACE_PUBLIC_URL") + used["HTTP_PORT"] == told.pop("HEADRACE_PUBLIC_URL")
    assert used == told


def test_the_page_has_the_limits_of_memory() -> None:
    page = PAGE.read_text(encoding="utf-8")

    for service, found in SERVICES.items():
        [row] = [
            line for line in page.splitlines() if line.startswith("| `") and f"`{service}`" in line
        ]
        limit = found["deploy"]["resources"]["limits"]["memory"]
        assert {"m": " MB", "g": " GB"}[limit[-1]] in row
        assert f" {limit[:-1]} " in row.rpartition("|")[0].rpartition("|")[2], service
