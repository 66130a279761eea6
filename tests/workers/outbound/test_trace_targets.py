"""Hosts that are told the trace of a call."""

from collections.abc import Iterator

import pytest

from engine.net.url_policy import check_url
from engine.nodes.support.base import HttpCall
from engine.settings import Settings
from engine.telemetry.traces.context import CURRENT, TraceContext
from tests.support.http.raw_server import Stub, redirect
from workers.outbound.client import Egress
from workers.outbound.trace_targets import TraceTargets

TRACE = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", True)
LINE = f"traceparent: {TRACE.header}\r\n".encode()


@pytest.fixture
def in_a_trace() -> Iterator[None]:
    token = CURRENT.set(TRACE)
    yield
    CURRENT.reset(token)


def is_told(targets: TraceTargets, url: str, *headers: tuple[str, str]) -> bool:
    call = HttpCall(method="GET", url=url, headers=headers)
    return targets.header(check_url(url, allow_private=True), call) is not None


OWN = Settings(
    public_url="https://flows.example.org",
    local_model_url="http://10.0.0.7:8801/v1",
    demo_provider_url="http://127.0.0.1:8802",
    port=8000,
)


@pytest.mark.usefixtures("in_a_trace")
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://flows.example.org/api/workflows/a/run", True),
        ("https://FLOWS.example.org:443/", True),
        ("http://flows.example.org/", False),
        ("https://flows.example.org:8443/", False),
        ("https://example.org/", False),
        ("https://flows.example.org.evil.example/", False),
        ("http://10.0.0.7:8801/v1/chat/completions", True),
        ("http://10.0.0.7:8802/v1", False),
        ("http://127.0.0.1:8802/openai/v1", True),
        ("http://127.0.0.1:8000/api", True),
        ("http://localhost:8000/api", True),
        ("http://[::1]:8000/api", True),
        ("http://127.0.0.1:8001/api", False),
    ],
)
def test_parts_of_this_installation_are_told(url: str, expected: bool) -> None:
    assert is_told(TraceTargets.from_settings(OWN), url) is expected


@pytest.mark.usefixtures("in_a_trace")
@pytest.mark.parametrize(
    ("host", "url", "expected"),
    [
        ("0.0.0.0", "http://localhost:8000/", True),
        ("10.0.0.9", "http://10.0.0.9:8000/", True),
        ("10.0.0.9", "http://localhost:8000/", False),
        ("fd00::9", "http://[fd00::9]:8000/", True),
        ("gateway.internal", "http://gateway.internal:8000/", True),
        ("localhost", "http://127.0.0.1:8000/", True),
    ],
)
def test_a_gateway_is_told_where_it_listens(host: str, url: str, expected: bool) -> None:
    assert is_told(TraceTargets.from_settings(Settings(host=host)), url) is expected


@pytest.mark.usefixtures("in_a_trace")
def test_other_hosts_are_told_when_the_operator_says_so() -> None:
    closed, opened = (Settings(trace_outbound=each) for each in (False, True))
    assert not is_told(TraceTargets.from_settings(closed), "https://api.example.com/")
    assert is_told(TraceTargets.from_settings(opened), "https://api.example.com/")


@pytest.mark.usefixtures("in_a_trace")
def test_a_header_of_the_author_goes_out_alone() -> None:
    targets = TraceTargets(are_all=True)
    assert not is_told(targets, "https://example.com/", ("TraceParent", "00-…"))


@pytest.mark.usefixtures("in_a_trace")
def test_a_call_may_tell_its_trace_to_any_host() -> None:
    target = check_url("https://example.com/")
    told, untold = (
        TraceTargets().header(target, HttpCall(method="POST", url=target.url, tells_trace=each))
        for each in (True, False)
    )
    assert (told, untold) == (("traceparent", TRACE.header), None)


def test_nobody_is_told_outside_a_trace() -> None:
    assert not is_told(TraceTargets(are_all=True), "https://example.com/")


@pytest.mark.usefixtures("in_a_trace")
async def test_a_host_that_a_redirect_leads_to_is_judged_by_itself(stub: Stub) -> None:
    stub.pages = {"/": redirect(302, f"http://localhost:{stub.port}/there")}
    call = HttpCall(method="GET", url=f"{stub.url}/", max_redirects=1)
    told = {}
    for own in (stub.url, f"http://localhost:{stub.port}"):
        egress = Egress(allow_private=True, trace_targets=TraceTargets([own]))
        await egress.fetch(call)
        await egress.close()
        told[own] = [LINE in each for each in stub.requests]
        stub.requests.clear()

    assert list(told.values()) == [[True, False], [False, True]]


@pytest.mark.usefixtures("in_a_trace")
async def test_a_client_tells_nobody_unless_it_is_made_so(stub: Stub, egress: Egress) -> None:
    await egress.fetch(HttpCall(method="GET", url=stub.url))

    assert b"traceparent" not in stub.requests[0].lower()
