"""Check of traces: off, without the extra, with a collector, and without one that listens."""

import pytest

from deploy.admin.traces_check import check_traces
from engine.process.extras import install_hint
from engine.telemetry.traces import environment
from tests.support.observability.collector import running_collector


async def test_without_an_endpoint_traces_are_off() -> None:
    check = await check_traces({})

    assert check.state == "ok"
    assert check.seen == "off, by the variables here: no OTEL_EXPORTER_OTLP_ENDPOINT is set"


async def test_an_endpoint_without_the_extra_warns_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(environment, "_is_installed", lambda module: False)

    check = await check_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})

    assert check.state == "warning"
    assert check.seen == "Spans are not sent without the extra"
    assert check.fix == f"{install_hint('otel')}."


async def test_a_collector_that_listens_is_named_without_its_password() -> None:
    with running_collector() as collector:
        url = collector.url.replace("http://", "http://user:canary@")
        check = await check_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": url})

    assert check.state == "ok"
    assert check.seen == f"spans go to {collector.url.removeprefix('http://')}"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "127.0.0.1:1", "http://127.0.0.1:wrong"])
async def test_a_collector_that_is_away_is_a_warning(url: str) -> None:
    check = await check_traces({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": url})

    assert check.state == "warning"
    assert "Start the collector" in check.fix
