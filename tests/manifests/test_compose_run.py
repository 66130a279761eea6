"""The Compose file as a newcomer uses it, run on hosts of their own in the place of an engine.

The tests are one story in order, on one stack. Each prints its figures.
"""

import itertools
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from obstore.store import S3Store

from deploy.packaging.image.__main__ import image_name
from deploy.packaging.image.builders import find_builder
from tests.conftest import free_port
from tests.support.acceptance.running_stack import until
from tests.support.compose.callers import Callers
from tests.support.compose.compose_file import find_tool
from tests.support.compose.images import Image, image_of
from tests.support.compose.stack import ComposeStack
from tests.support.contract.approvals import delaying
from tests.support.hosts.commands import missing_for_hosts
from tests.support.image.containers import unpacked_image
from tests.support.media.files import png

TOOLS = ("docker-compose", "caddy", "prometheus", "promtool", "valkey-cli", "wget")
MISSING = missing_for_hosts() or ", ".join(name for name in TOOLS if find_tool(name) is None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"the Compose file cannot be run here: {MISSING}"),
]
FAILED_CALLS = 20
BACKUP = "/backup/headrace.zip"
WRONG_KEY = "hr_live_wrong"
STRANGER = 1234
"""User of this machine who saves backups."""
DEMO: dict[str, str] = {}
"""Output of the demonstration, and its parts: `url`, `key`, `link` and `command`."""


@pytest.fixture(scope="module")
def image() -> Iterator[Image | None]:
    """The image that `make image` has built; None where there is none, as with `IMAGE=none`."""
    builder = find_builder()
    if builder is None or not builder.has(image_name()):
        say("Headrace runs from the clone")
        yield None
        return
    with unpacked_image(builder, image_name()) as unpacked:
        revision = unpacked.configuration["Labels"]["org.opencontainers.image.revision"]
        say(f"Headrace runs from the image {unpacked.name} of {revision}")
        yield image_of(unpacked)


@pytest.fixture(scope="module")
def stack(image: Image | None) -> Iterator[ComposeStack]:
    """The stack, started once."""
    with tempfile.TemporaryDirectory(prefix="hr-compose-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        variables = {
            **new_ports(),
            "HEADRACE_HOT_MINUTES": "0.1",
            "HEADRACE_FAILED_CALLS_PER_MINUTE": str(FAILED_CALLS),
        }
        with ComposeStack(folder, image, **variables) as stack:
            begin(stack)
            yield stack


def new_ports() -> dict[str, str]:
    """Return variables with ports that nobody uses."""
    return {name: str(free_port()) for name in ("HTTP_PORT", "HTTPS_PORT", "GRAFANA_PORT")}


def begin(stack: ComposeStack) -> None:
    """Start the stack and its demonstration, and tell how long both took."""
    seconds = stack.up()
    code, said = stack.run("demo")
    first = time.monotonic() - stack.began
    assert code == 0, said
    [command] = [line for line in said.splitlines() if line.startswith("curl ")]
    [link] = re.findall(r"http://\S+/login\?token=\S+", said)
    DEMO.update(said=said, command=command, link=link, url=link.partition("/login")[0])
    DEMO["key"] = re.findall(r"x-api-key: (\S+)'", command)[0]
    met = {name: round(taken, 1) for name, taken in stack.seconds.items()}
    say(f"up {seconds:.1f} s, first answer {first:.1f} s after the start: {met}")


def say(text: str) -> None:
    """Print a figure with the load of the machine."""
    print(f"\n{text} (load {os.getloadavg()[0]:.1f})")


def call(method: str, path: str, **more: Any) -> httpx.Response:
    """Call the API with the key of the demonstration."""
    headers = {"x-api-key": DEMO["key"], **more.pop("headers", {})}
    return httpx.request(method, DEMO["url"] + path, headers=headers, timeout=60, **more)


def test_a_newcomer_comes_to_a_first_answer(stack: ComposeStack) -> None:
    assert "Dear Ada" in DEMO["said"]
    assert DEMO["url"] == f"http://localhost:{stack.variables['HTTP_PORT']}"
    assert stack.not_run == ["grafana"]


def test_the_printed_call_answers_through_caddy(stack: ComposeStack) -> None:
    done = subprocess.run(["sh", "-c", DEMO["command"]], capture_output=True, text=True)

    assert '"success":true' in done.stdout
    assert "Dear Ada" in done.stdout


def test_the_printed_link_signs_a_browser_in(stack: ComposeStack) -> None:
    typed = {"sec-fetch-mode": "navigate", "sec-fetch-site": "none", "sec-fetch-dest": "document"}
    with httpx.Client(follow_redirects=True, headers=typed) as browser:
        page = browser.get(DEMO["link"])
        session = browser.get(f"{DEMO['url']}/api/me")

    assert page.status_code == 200
    assert "text/html" in page.headers["content-type"]
    assert session.status_code == 200, session.text


def test_a_second_demonstration_makes_a_key_and_nothing_else(stack: ComposeStack) -> None:
    before = slugs()
    code, said = stack.run("demo")

    assert code == 0, said
    assert "there already" in said
    assert slugs() == before


def slugs() -> list[str]:
    """Return the workflows of the demonstration."""
    return [row["slug"] for row in call("GET", "/api/workflows").json()]


def test_the_doctor_finds_nothing_wrong(stack: ComposeStack) -> None:
    code, said = stack.run("cli", "doctor")

    assert code == 0, said
    assert {line[:4].strip() for line in said.splitlines()} == {"ok"}
    assert "workers: 3 alive" in said


def test_an_upload_is_in_the_bucket(stack: ComposeStack) -> None:
    headers = {"content-type": "image/png"}
    made = call("POST", "/api/assets", content=png(), headers=headers)
    environ = stack.containers["gateway-1"].environ
    bucket = S3Store(
        "headrace",
        endpoint=f"http://{stack.address('s3')}:8333",
        access_key_id=environ["AWS_ACCESS_KEY_ID"],
        secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
        region="us-east-1",
        client_options={"allow_http": True},
    )

    assert made.status_code == 201, made.text
    DEMO["asset"] = made.json()["id"]
    keys = [item["path"] for batch in bucket.list() for item in batch]
    assert [key for key in keys if DEMO["asset"] in key]
    assert httpx.get(made.json()["url"]).content == png()


def test_an_ended_run_goes_from_valkey_to_postgresql(stack: ComposeStack) -> None:
    made = call("POST", "/api/workflows/greeting-letter/run", json={"inputs": {"name": "Ada"}})
    execution_id = DEMO["execution"] = made.json()["executionId"]
    environ = stack.containers["gateway-1"].environ
    url = environ["HEADRACE_DATABASE_URL"].replace("@postgres:", f"@{stack.address('postgres')}:")

    def archived() -> list[Any]:
        with psycopg.connect(url) as connection:
            query = "SELECT status FROM executions WHERE id = %s"
            return connection.execute(query, (execution_id,)).fetchall()

    began = time.monotonic()
    assert until(archived, bool)
    in_database = time.monotonic() - began
    until(lambda: execution_id in keys_in_valkey(stack), lambda found: not found)
    say(f"in PostgreSQL after {in_database:.1f} s, out of Valkey {time.monotonic() - began:.1f} s")
    assert call("GET", f"/api/executions/{execution_id}").json()["result"]["text"]


def keys_in_valkey(stack: ComposeStack) -> str:
    """Return the names of all keys."""
    return stack.containers["valkey"].execute("valkey-cli", "--scan").stdout


def test_the_metrics_of_the_gateways_are_scraped(stack: ComposeStack) -> None:
    def states() -> dict[tuple[str, str], str]:
        active = httpx.get(f"{prometheus(stack)}/targets").json()["data"]["activeTargets"]
        return {
            (each["labels"]["job"], each["labels"]["instance"]): each["health"] for each in active
        }

    gateways = ("gateway-1:9000", "gateway-2:9000")
    wanted = {("headrace", each): "up" for each in gateways}
    wanted |= {("headrace-processes", each): "up" for each in gateways}
    # No name server knows the workers here; test_compose_engine.py has one.
    assert until(states, lambda found: found == {**wanted, ("prometheus", "127.0.0.1:9090"): "up"})
    query = {"query": "max(headrace_oldest_hint_seconds)"}
    answer = httpx.get(f"{prometheus(stack)}/query", params=query).json()
    [found] = answer["data"]["result"]
    assert float(found["value"][1]) >= 0
    assert httpx.get(f"{DEMO['url']}/metrics").status_code in {401, 403, 404}


def prometheus(stack: ComposeStack) -> str:
    """Return the address of Prometheus's API."""
    return f"http://{stack.address('prometheus')}:9090/api/v1"


def test_prometheus_has_the_alert_rules_and_their_runbooks_are_served(stack: ComposeStack) -> None:
    groups = httpx.get(f"{prometheus(stack)}/rules").json()["data"]["groups"]
    urls = {rule["annotations"]["runbook_url"] for group in groups for rule in group["rules"]}

    assert len(urls) == 10
    for url in urls:
        assert url.startswith(f"http://localhost:{stack.variables['GRAFANA_PORT']}/runbooks/")
        page = httpx.get(url)
        assert page.text.startswith("# Headrace"), url
        assert page.headers["content-type"] == "text/plain; charset=utf-8"


def test_grafana_would_find_the_dashboards(stack: ComposeStack) -> None:
    container = stack.containers["prometheus"]  # has the same volume; Grafana is in no registry
    listed = container.execute("ls", "/etc/headrace/dashboards").stdout.split()
    overview = container.execute("cat", "/etc/headrace/dashboards/overview.json").stdout

    assert len(listed) == 5
    values = {each["name"]: each["query"] for each in json.loads(overview)["templating"]["list"]}
    assert values["headrace_url"] == DEMO["url"]


def test_callers_are_told_apart_behind_caddy(stack: ComposeStack) -> None:
    """Headers of a caller are not believed; another caller is not held for it."""
    numbers = itertools.count()

    def fail() -> int:
        headers = {"x-api-key": WRONG_KEY, "x-forwarded-for": f"198.51.100.{next(numbers) % 250}"}
        url = f"http://{stack.address('caddy')}/api/workflows"
        return httpx.get(url, headers=headers).status_code

    first = fail()
    assert until(fail, lambda status: status == 429)
    other = stack.containers["valkey"].execute(
        "wget", "-S", "-O", "-", f"--header=x-api-key: {WRONG_KEY}", "http://caddy/api/workflows"
    )

    assert first == 401
    assert "401 Unauthorized" in other.stderr


def save_delay() -> str:
    """Save a workflow that waits for half a second, and return its slug."""
    answer = call("POST", "/api/workflows", json=delaying(seconds=0.5).body("Later"))
    assert answer.status_code == 201, answer.text
    slug: str = answer.json()["slug"]
    return slug


def test_nobody_notices_that_a_gateway_is_stopped(stack: ComposeStack) -> None:
    DEMO["slow"] = save_delay()
    with calling(stack) as callers:
        time.sleep(2)
        seconds = stack.containers["gateway-1"].stop()
        time.sleep(3)
        stack.start("gateway-1")
        time.sleep(2)

    say(f"gateway-1 stopped in {seconds:.1f} s: {callers}")
    assert exit_code(stack, "gateway-1") is None
    assert (callers.noticed, callers.wrong) == ({}, [])
    check_once(callers)


def test_only_open_calls_notice_that_a_gateway_is_killed(stack: ComposeStack) -> None:
    with calling(stack) as callers:
        time.sleep(2)
        stack.containers["gateway-2"].host.kill()
        time.sleep(3)
        stack.start("gateway-2")
        time.sleep(2)

    say(f"gateway-2 killed: {callers}")
    assert callers.wrong == []
    # A call that was sent to the dead gateway cannot be told from one that was carried out.
    assert callers.noticed["502"] <= 8
    assert callers.noticed.keys() <= {"502", "409"}
    check_once(callers)


def test_nobody_notices_that_a_worker_is_stopped_or_killed(stack: ComposeStack) -> None:
    with calling(stack) as callers:
        time.sleep(1)
        seconds = stack.containers["worker-1"].stop()
        stack.containers["worker-2"].host.kill()
        time.sleep(5)
        stack.start("worker-1")
        stack.start("worker-2")

    say(f"worker-1 stopped in {seconds:.1f} s, worker-2 killed: {callers}")
    assert (callers.noticed, callers.wrong) == ({}, [])
    check_once(callers)


def calling(stack: ComposeStack) -> Callers:
    """Return callers of the slow workflow, through Caddy."""
    return Callers(f"http://{stack.address('caddy')}", DEMO["slow"], DEMO["key"])


def check_once(callers: Callers) -> None:
    """Check that each run was one execution."""
    assert len(callers.executions) > 20
    assert len(set(callers.executions)) == len(callers.executions)


def exit_code(stack: ComposeStack, name: str) -> int | None:
    """Return the exit code of a container, None while it runs."""
    process = stack.containers[name].process
    return process.poll() if process else None


def test_the_parts_fit_into_a_laptop(stack: ComposeStack) -> None:
    used = {name: container.memory() / 1e6 for name, container in stack.containers.items()}

    parts = ", ".join(f"{name} {taken:.0f}" for name, taken in used.items() if taken)
    say(f"memory after load, in MB: {parts}; together {sum(used.values()):.0f}")
    for name, container in stack.containers.items():
        assert used[name] < container.memory_limit / 1e6, name


@pytest.fixture(scope="module")
def backups() -> Iterator[dict[str, Any]]:
    """A folder of a user of this machine, as members of a service that is run once."""
    with tempfile.TemporaryDirectory(prefix="hr-backup-") as name:
        os.chown(name, STRANGER, STRANGER)
        mount = {"type": "bind", "source": name, "target": "/backup"}
        yield {"user": str(STRANGER), "volumes": [mount]}


def test_a_backup_is_written_into_a_folder_of_this_machine(
    stack: ComposeStack, backups: dict[str, Any]
) -> None:
    code, said = stack.run("cli", "backup", BACKUP, **backups)

    say(said.strip())
    assert code == 0, said


def test_a_power_cut_loses_nothing_that_was_accepted(stack: ComposeStack) -> None:
    path = f"/api/workflows/{DEMO['slow']}/run?async=true"
    accepted = [
        call("POST", path, json={"inputs": {"who": f"before-{number}"}}).json()["executionId"]
        for number in range(20)
    ]
    stack.kill()
    seconds, again = stack.boot()

    say(f"healthy {seconds:.1f} s after a power cut; started more than once: {again}")
    for execution_id in accepted:
        found = until(partial(read, execution_id), lambda found: found["status"] != "processing")
        assert found["status"] == "completed"


def read(execution_id: str) -> dict[str, Any]:
    """Return an execution."""
    found: dict[str, Any] = call("GET", f"/api/executions/{execution_id}").json()
    return found


def test_a_stop_in_order_ends_all_and_a_start_finds_all_again(stack: ComposeStack) -> None:
    ledger = stack.run("cli", "ledger", "check")[1]
    seconds = stack.stop()
    codes = {name: exit_code(stack, name) for name in seconds}
    again = stack.up()

    ends = ", ".join(f"{name} {taken:.1f}" for name, taken in seconds.items())
    say(f"stopped (seconds): {ends}; up again in {again:.1f} s")
    assert {code for name, code in codes.items() if name not in {"prometheus"}} == {0}
    assert call("GET", f"/api/executions/{DEMO['execution']}").json()["result"]["text"]
    asset = call("GET", f"/api/assets/{DEMO['asset']}").json()
    assert httpx.get(asset["url"]).content == png()
    assert stack.run("cli", "ledger", "check")[1] == ledger
    assert stack.run("cli", "doctor")[0] == 0


def test_a_site_with_a_name_has_tls_and_services_reach_it_without(stack: ComposeStack) -> None:
    stack.containers["caddy"].stop()
    caddy = stack.containers["caddy"].changed(environment={"SITE": "localhost"})
    caddy.start()
    secure = f"https://localhost:{stack.variables['HTTPS_PORT']}/readyz"

    def answers() -> int:
        try:
            return httpx.get(secure, verify=False, timeout=5).status_code
        except httpx.HTTPError:
            return 0

    assert until(answers, lambda status: status == 200)
    plain = httpx.get(f"http://localhost:{stack.variables['HTTP_PORT']}/readyz")
    assert (plain.status_code, plain.headers["location"][:17]) == (308, "https://localhost")
    inside = stack.containers["valkey"].execute("wget", "-O", "-", "http://caddy:8080/readyz")
    assert '"status":"ready"' in inside.stdout
    assert caddy.stop() < 30


def test_a_backup_is_restored_into_new_volumes(
    stack: ComposeStack, image: Image | None, backups: dict[str, Any]
) -> None:
    stack.stop()
    environ = stack.containers["gateway-1"].environ
    secrets = {"HEADRACE_SECRET_KEY": environ["HEADRACE_SECRET_KEY"]}
    with tempfile.TemporaryDirectory(prefix="hr-compose-") as name:
        Path(name).chmod(0o755)
        with ComposeStack(Path(name), image, **new_ports(), **secrets) as other:
            other.up("valkey", "postgres", "s3")
            words = ("restore", BACKUP, "--data-dir", "/tmp/data")
            code, said = other.run("cli", *words, **backups)
            other.up()
            url = f"http://localhost:{other.variables['HTTP_PORT']}"
            headers = {"x-api-key": DEMO["key"]}
            found = httpx.get(f"{url}/api/executions/{DEMO['execution']}", headers=headers)

    assert code == 0, said
    assert found.json()["result"]["text"]
