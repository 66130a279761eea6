"""Redaction of templates: masked values, and the parts that stay usable."""

from typing import Any

import pytest

from engine.graph.document import Document, parse_document
from engine.graph.plan import check_graph
from gateway.auth.redaction import redacted
from tests.support.gateway.documents import edge, greeting, node

CANARY = "sk-canary-4711"


def shown(kind: str, **data: Any) -> dict[str, Any]:
    document = Document(name="n", nodes=[node("a", kind, **data)])
    [observed] = redacted(document).nodes
    result: dict[str, Any] = observed["data"]
    return result


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("Authorization", f"Bearer {CANARY}", "Bearer REDACTED"),
        ("authorization", f"Basic {CANARY}", "Basic REDACTED"),
        ("authorization", CANARY, "REDACTED"),
        ("authorization", "Bearer {{ token }}", "Bearer {{ token }}"),
        ("authorization", f"{CANARY}{{{{ id }}}}", "REDACTED{{ id }}"),
        ("authorization", "", ""),
        ("X-Api-Key", CANARY, "REDACTED"),
        ("X-Anything", CANARY, "REDACTED"),
        ("Content-Type", "text/plain", "text/plain"),
        ("accept", "application/json", "application/json"),
    ],
)
def test_headers_keep_their_names_and_placeholders(name: str, text: str, expected: str) -> None:
    assert shown("httpRequest", headers={name: text})["headers"] == {name: expected}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"https://a.org/b?api_key={CANARY}&n=1", "https://a.org/b?api_key=REDACTED&n=1"),
        (f"https://a.org/?X-Amz-Signature={CANARY}", "https://a.org/?X-Amz-Signature=REDACTED"),
        (f"https://ada:{CANARY}@a.org/x", "https://REDACTED@a.org/x"),
        ("https://a.org/{{ id }}?key={{ key }}", "https://a.org/{{ id }}?key={{ key }}"),
        ("https://a.org/b?page=2&q=keys", "https://a.org/b?page=2&q=keys"),
    ],
)
def test_urls_lose_their_secrets_alone(url: str, expected: str) -> None:
    assert shown("httpRequest", url=url)["url"] == expected


@pytest.mark.parametrize(
    "name",
    ["apiKey", "api_key", "secret", "clientSecret", "password", "accessToken", "credentials"],
)
def test_members_that_are_named_like_secrets_are_masked_wherever_they_are(name: str) -> None:
    data = {"deep": [{name: CANARY}, {name: {"inner": [CANARY]}}], name: CANARY}

    assert CANARY not in repr(shown("customModel", **data))


def test_bodies_are_redacted_like_the_graph_around_them() -> None:
    call = {"id": "h", "type": "httpRequest", "data": {"url": f"https://a.org/?key={CANARY}"}}
    call["data"] |= {"auth": {"type": "bearer", "secret": "TOKEN"}}
    form = {"id": "in", "type": "requestInput", "data": {"values": {"row": CANARY}}}
    inner = {"nodes": [call, form, {"id": "x", "type": "note", "password": CANARY}], "edges": []}
    each = {"id": "each", "type": "forEach", "data": {"body": inner}}

    body = shown("forEach", body={"nodes": [each], "edges": [], "token": CANARY})["body"]

    assert CANARY not in repr(body)
    found = body["nodes"][0]["data"]["body"]
    assert found["nodes"][0]["data"]["auth"] == {"type": "bearer", "secret": "TOKEN"}
    assert found["nodes"][1]["data"]["values"] == {}
    assert found["edges"] == []


@pytest.mark.parametrize(
    "body", [{"nodes": [{"token": CANARY}, 1], "edges": []}, {"nodes": {"token": CANARY}}]
)
def test_a_body_that_is_no_graph_is_redacted_as_any_value(body: Any) -> None:
    assert CANARY not in repr(shown("forEach", body=body))
    assert CANARY not in repr(shown("httpRequest", body={**body, "edges": []}))


def test_settings_that_only_sound_like_secrets_are_left() -> None:
    data = {"maxTokens": 100, "text": "a key", "keys": ["a"], "authors": ["b"], "prompt": "token"}

    assert shown("assistant", **data) == data


def test_saved_values_are_taken_out() -> None:
    data = shown("requestInput", fields=[], values={"name": CANARY}, strict=True)

    assert data == {"fields": [], "values": {}, "strict": True}


def test_what_is_left_can_be_saved_as_ones_own() -> None:
    headers = {"Authorization": f"Bearer {CANARY} {{{{ who }}}}", "X-Key": CANARY}
    call = node("http", "httpRequest", url="https://example.org/?key=x", headers=headers)
    body = greeting()
    body["nodes"].append(call)
    body["edges"] += [
        edge("in", "name", "http", "who"),
        edge("http", "response-out", "out", "result-in"),
    ]
    document = parse_document(body)
    assert check_graph(document.nodes, document.edges) == []

    observed = redacted(document)

    assert check_graph(observed.nodes, observed.edges) == []
    assert CANARY not in repr(observed)
    assert document.nodes[-1]["data"]["headers"] == headers


def test_values_of_other_nodes_than_the_form_stay_for_whoever_copies_it() -> None:
    assert shown("customModel", values={"prompt": "Write"}) == {"values": {"prompt": "Write"}}


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ({"type": "bearer", "secret": "TOKEN"}, {"type": "bearer", "secret": "TOKEN"}),
        (
            {"type": "header", "secret": "TOKEN", "name": "X-Key", "value": CANARY},
            {"type": "header", "secret": "TOKEN", "name": "X-Key"},
        ),
        (
            {"type": "bearer", "secret": "TOKEN", "name": CANARY},
            {"type": "bearer", "secret": "TOKEN"},
        ),
        ({"type": "bearer", "secret": CANARY}, {"type": "REDACTED", "secret": "REDACTED"}),
        (CANARY, "REDACTED"),
    ],
)
def test_an_authorization_keeps_the_name_of_its_secret(auth: Any, expected: Any) -> None:
    assert shown("httpRequest", auth=auth) == {"auth": expected}


def test_a_placeholder_of_a_secret_stays() -> None:
    data = {
        "url": "https://a.org/?key={{ secret.KEY }}",
        "headers": {"Authorization": "Bearer {{ secret.TOKEN }}"},
    }

    assert shown("httpRequest", **data) == data


def test_nodes_in_bodies_are_redacted_like_others() -> None:
    field = {"name": "n", "label": "N", "type": "text"}
    auth = {"type": "bearer", "secret": "TOKEN"}
    inner = [
        node("in", "requestInput", fields=[field], values={"n": CANARY}),
        node("call", "httpRequest", url="https://a.org", headers={"x-key": CANARY}, auth=auth),
    ]

    data = shown("forEach", body={"nodes": inner, "edges": []}, concurrency=3)

    form, call = (each["data"] for each in data["body"]["nodes"])
    assert form == {"fields": [field], "values": {}}
    assert (call["headers"], call["auth"]) == ({"x-key": "REDACTED"}, auth)
    assert (data["concurrency"], data["body"]["edges"]) == (3, [])


def test_servers_of_tools_keep_the_names_of_their_secrets_alone() -> None:
    auth = {"type": "bearer", "secret": "TOOLS_TOKEN"}
    server = {"server": f"https://a.org/mcp?key={CANARY}", "auth": {**auth, "more": CANARY}}

    tool = shown("mcpTool", **server, arguments={"token": CANARY, "city": "Rome"})
    agent = shown("agent", tools=[{"workflow": "a"}, server, {"server": "x", "auth": CANARY}])

    assert tool["auth"] == agent["tools"][1]["auth"] == auth
    assert tool["server"] == "https://a.org/mcp?key=REDACTED"
    assert tool["arguments"] == {"token": "REDACTED", "city": "Rome"}
    assert CANARY not in str(agent)
