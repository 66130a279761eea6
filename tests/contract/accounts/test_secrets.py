"""Secrets of an account."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from tests.support.contract.installation import Administration, Caller, field, form, workflow
from tests.support.contract.shapes import assert_fits, sentence
from tests.support.gateway.documents import edge, greeting, node
from tests.support.http.echo_server import EchoServer, echo_server
from tests.support.http.target import Stub

ROUTES = {
    "GET /api/secrets": "session",
    "PUT /api/secrets/{secret_name}": "session",
    "DELETE /api/secrets/{secret_name}": "session",
}
VALUE = "sk/canary+4711 é"
HEADER_VALUE = "sk/canary+4711"


def put(browser: Caller, name: str, value: Any = HEADER_VALUE) -> httpx2.Response:
    return browser.put(f"/api/secrets/{name}", {"value": value})


def put_with_hosts(browser: Caller, name: str, hosts: Any) -> httpx2.Response:
    return browser.put(f"/api/secrets/{name}", {"value": HEADER_VALUE, "hosts": hosts})


def listed(browser: Caller) -> dict[str, Any]:
    return {row["name"]: row for row in browser.get("/api/secrets").json()}


def calling(url: str, **data: Any) -> dict[str, Any]:
    nodes = [
        form(field("who", "text")),
        node("call", "httpRequest", url=url, **data),
        node("out", "responseOutput"),
    ]
    return workflow(nodes, [edge("call", "response-out", "out", "result-in")])


def refused(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["code"]) == (status, code)
    return body


@pytest.fixture
def owner(administration: Administration) -> Iterator[Caller]:
    """A browser of an account without secrets."""
    yield administration.browser(administration.account("pro"))


@pytest.fixture(scope="module")
def echo() -> Iterator[EchoServer]:
    with echo_server() as other, echo_server(other.url) as started:
        yield started


def test_a_secret_is_set_listed_and_deleted(owner: Caller) -> None:
    made = put(owner, "STRIPE_KEY", VALUE)

    assert made.status_code == 200
    assert set(made.json()) == {"name", "createdAt", "updatedAt"}
    assert made.json()["name"] == "STRIPE_KEY"
    age = datetime.now(UTC) - datetime.fromisoformat(made.json()["createdAt"])
    assert abs(age) < timedelta(minutes=10)
    assert owner.get("/api/secrets").json() == [{**made.json(), "hosts": None, "usedBy": []}]
    gone = owner.delete("/api/secrets/STRIPE_KEY")
    assert (gone.status_code, gone.json()) == (200, {"success": True})
    assert owner.get("/api/secrets").json() == []
    refused(owner.delete("/api/secrets/STRIPE_KEY"), 404, "NOT_FOUND")


def test_no_answer_has_the_value(owner: Caller) -> None:
    answers = [put(owner, "A", VALUE), put(owner, "A", f"{VALUE}!"), owner.get("/api/secrets")]
    answers += [owner.get("/api/secrets/A"), owner.request("HEAD", "/api/secrets/A")]
    answers += [owner.delete("/api/secrets/A")]

    assert answers[3].status_code == 405
    assert not any("canary" in f"{each.headers}{each.text}" for each in answers)


def test_a_change_keeps_when_it_was_created(owner: Caller) -> None:
    before = put(owner, "A").json()

    after = put(owner, "A", "another value").json()

    assert after["createdAt"] == before["createdAt"]
    assert after["updatedAt"] > before["updatedAt"]


@pytest.mark.parametrize("name", ["a", "2A", "_A", "A-B", "A.B", "%C3%84", "A" * 65])
def test_a_wrong_name_is_refused(owner: Caller, name: str) -> None:
    body = refused(put(owner, name), 400, "INVALID_SECRET")

    assert_fits(body, {"error": sentence, "code": str, "field": "name", "reason": sentence})
    refused(owner.delete(f"/api/secrets/{name}"), 404, "NOT_FOUND")


@pytest.mark.parametrize("value", ["", None, 5, ["canary"], "canary1", "canary" * 1_366])
def test_a_wrong_value_is_refused_and_not_repeated(owner: Caller, value: Any) -> None:
    answer = put(owner, "A", value)

    assert refused(answer, 400, "INVALID_SECRET")["field"] == "value"
    assert "canary" not in answer.text
    refused(owner.put("/api/secrets/A", {}), 400, "INVALID_SECRET")
    refused(owner.put("/api/secrets/A", ["canary"]), 400, "INVALID_BODY")
    assert owner.get("/api/secrets").json() == []


def test_8_kib_are_allowed(owner: Caller) -> None:
    assert put(owner, "A", "é" * 4_096).status_code == 200


def test_the_101st_is_refused(owner: Caller) -> None:
    answers = [put(owner, f"S{number}") for number in range(101)]

    assert {each.status_code for each in answers[:100]} == {200}
    body = refused(answers[100], 413, "QUOTA_EXCEEDED")
    assert (body["quota"], body["used"], body["limit"]) == ("secrets", 100, 100)
    assert put(owner, "S7", "another value").status_code == 200


def test_an_account_that_is_not_approved_reads_only(administration: Administration) -> None:
    browser = administration.browser(administration.account("pro", approved=False))

    assert browser.get("/api/secrets").json() == []
    refused(put(browser, "A"), 403, "ACCOUNT_NOT_APPROVED")
    refused(browser.delete("/api/secrets/A"), 403, "ACCOUNT_NOT_APPROVED")


@pytest.mark.A13
def test_secrets_of_one_name_are_each_account_s_own(
    administration: Administration, owner: Caller, echo: EchoServer
) -> None:
    other = administration.browser(administration.account("pro"))
    put(owner, "TOKEN", "value-of-the-owner")
    put(other, "TOKEN", "value-of-the-other")

    other.delete("/api/secrets/TOKEN")
    other.create(calling(f"{echo.url}/json"))

    assert set(listed(owner)) == {"TOKEN"}
    assert listed(other) == {}
    document = calling(f"{echo.url}/json", auth={"type": "bearer", "secret": "TOKEN"})
    refused(other.post("/api/workflows", document), 400, "INVALID_GRAPH")


# -- hosts ----------------------------------------------------------------------------------------


def test_hosts_are_listed_and_stay_until_they_are_set_anew(owner: Caller) -> None:
    put_with_hosts(owner, "TOKEN", ["API.example.com", "*.shop.example"])
    seen = [listed(owner)["TOKEN"]["hosts"]]
    put(owner, "TOKEN", "another-value")
    seen.append(listed(owner)["TOKEN"]["hosts"])
    put_with_hosts(owner, "TOKEN", None)
    seen.append(listed(owner)["TOKEN"]["hosts"])

    assert seen == [["api.example.com", "*.shop.example"]] * 2 + [None]


@pytest.mark.parametrize(
    "hosts", [[], "a.example", [5], ["https://a.example"], ["a.example:443"], ["*"], ["*.com"]]
)
def test_wrong_hosts_are_refused(owner: Caller, hosts: Any) -> None:
    body = refused(put_with_hosts(owner, "TOKEN", hosts), 400, "INVALID_SECRET")

    assert body["field"] == "hosts"
    assert owner.get("/api/secrets").json() == []


def test_a_secret_is_sent_to_its_hosts_alone(owner: Caller, echo: EchoServer) -> None:
    put_with_hosts(owner, "TOKEN", ["127.0.0.1", "b.example"])
    document = calling(f"{echo.url}/json", auth={"type": "bearer", "secret": "TOKEN"})
    slug = owner.save(document)
    sent = owner.run(slug)
    before = len(echo.received)

    put_with_hosts(owner, "TOKEN", ["b.example"])
    kept = owner.run(slug)
    saved = owner.create(document)

    assert sent.status_code == 200, sent.text
    assert (kept.status_code, kept.json()["nodeCode"]) == (500, "secret_kept")
    assert len(echo.received) == before
    (problem,) = refused(saved, 400, "INVALID_GRAPH")["problems"]
    assert "'TOKEN' is not sent to 127.0.0.1" in problem["reason"]


def test_a_redirect_to_another_of_its_hosts_is_sent_no_secret(
    owner: Caller, echo: EchoServer
) -> None:
    put_with_hosts(owner, "TOKEN", ["127.0.0.1"])
    slug = owner.save(calling(f"{echo.url}/away", auth={"type": "bearer", "secret": "TOKEN"}))

    answer = owner.run(slug)

    assert answer.status_code == 200, answer.text
    assert "•••" not in answer.text


# -- use ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auth", "value", "header", "sent"),
    [
        ({"type": "bearer"}, HEADER_VALUE, "authorization", f"Bearer {HEADER_VALUE}"),
        (
            {"type": "basic"},
            "ada:pass word é",
            "authorization",
            "Basic " + base64.b64encode("ada:pass word é".encode()).decode(),
        ),
        ({"type": "header", "name": "X-Api-Key"}, HEADER_VALUE, "x-api-key", HEADER_VALUE),
    ],
)
def test_a_call_carries_the_secret_and_its_answer_does_not(
    owner: Caller, echo: EchoServer, auth: dict[str, Any], value: str, header: str, sent: str
) -> None:
    put(owner, "TOKEN", value)
    slug = owner.save(calling(f"{echo.url}/json", auth={**auth, "secret": "TOKEN"}))

    answer = owner.run(slug)

    assert echo.received[-1][1][header] == sent
    assert answer.status_code == 200, answer.text
    assert sent.replace(sent.split(" ")[-1], "•••") in answer.json()["result"]["sent"]
    assert not any(form in answer.text for form in (value, sent, quote(value, safe="")))


def test_headers_and_the_query_carry_secrets(owner: Caller, echo: EchoServer) -> None:
    put(owner, "ONE", HEADER_VALUE)
    put(owner, "TWO", VALUE)
    url = f"{echo.url}/json?a=1&k={{{{ secret.TWO }}}}"
    slug = owner.save(calling(url, headers={"X-Key": "k={{ secret.ONE }}"}))

    answer = owner.run(slug)

    path, headers = echo.received[-1]
    assert headers["x-key"] == f"k={HEADER_VALUE}"
    assert path.startswith("/json?a=1&k=sk/canary%2B4711%20%C3%A9")
    assert "canary" not in answer.text
    assert {"k=•••", "•••"} <= set(answer.json()["result"]["sent"])


def test_a_header_that_a_server_read_as_latin_1_comes_back_without_the_secret(
    owner: Caller, echo: EchoServer
) -> None:
    put(owner, "TOKEN", VALUE)
    slug = owner.save(calling(f"{echo.url}/json", auth={"type": "bearer", "secret": "TOKEN"}))

    answer = owner.run(slug)

    assert echo.received[-1][1]["authorization"] == f"Bearer {VALUE.encode().decode('latin-1')}"
    assert "Bearer •••" in answer.json()["result"]["sent"]
    assert "canary" not in answer.text


def test_a_value_that_was_set_anew_is_used_from_then_on(owner: Caller, echo: EchoServer) -> None:
    put(owner, "TOKEN")
    slug = owner.save(calling(f"{echo.url}/json", auth={"type": "bearer", "secret": "TOKEN"}))
    put(owner, "TOKEN", "another-value")

    owner.run(slug)

    assert echo.received[-1][1]["authorization"] == "Bearer another-value"


def test_a_run_with_a_key_uses_the_secrets_of_its_account(
    administration: Administration, echo: EchoServer
) -> None:
    account = administration.account("pro")
    browser = administration.browser(account)
    put(browser, "TOKEN")
    slug = browser.save(calling(f"{echo.url}/json", auth={"type": "bearer", "secret": "TOKEN"}))

    answer = administration.with_key(administration.key(account)).run(slug)

    assert answer.status_code == 200
    assert echo.received[-1][1]["authorization"] == f"Bearer {HEADER_VALUE}"


def test_a_public_workflow_uses_the_secrets_of_its_owner(
    administration: Administration, owner: Caller, echo: EchoServer
) -> None:
    account = administration.account("pro")
    put(owner, "TOKEN", HEADER_VALUE)
    put(administration.browser(account), "TOKEN", "value-of-the-runner")
    document = calling(f"{echo.url}/json", auth={"type": "bearer", "secret": "TOKEN"})
    slug = owner.save({**document, "publicPlayground": True})

    answer = administration.with_key(administration.key(account)).run(slug)

    assert (answer.status_code, "Bearer •••" in answer.text) == (200, True)
    assert echo.received[-1][1]["authorization"] == f"Bearer {HEADER_VALUE}"
    assert "canary" not in answer.text


@pytest.mark.parametrize(
    "data",
    [
        {"url": "https://{{ secret.TOKEN }}.example/"},
        {"url": "https://a.example/{{ secret.TOKEN }}"},
        {"url": "https://a.example/", "body": "{{ secret.TOKEN }}"},
        {"url": "{{ who }}", "auth": {"type": "bearer", "secret": "TOKEN"}},
    ],
)
def test_other_places_are_a_problem_at_save(owner: Caller, data: dict[str, Any]) -> None:
    put(owner, "TOKEN")

    body = refused(owner.create(calling(**data)), 400, "INVALID_GRAPH")

    assert any("secret" in problem["reason"] for problem in body["problems"])


def test_a_secret_in_a_text_box_is_a_problem_at_save(owner: Caller) -> None:
    put(owner, "TOKEN")
    document = greeting()
    document["nodes"][1]["data"]["text"] = "{{ name }} {{ secret.TOKEN }}"

    (problem,) = refused(owner.create(document), 400, "INVALID_GRAPH")["problems"]

    assert "HTTP Request" in problem["reason"]


def test_a_name_without_a_secret_is_a_problem_at_save(owner: Caller) -> None:
    put(owner, "TOKEN")
    data = {"auth": {"type": "bearer", "secret": "TOKEN"}, "headers": {"X": "{{ secret.OTHER }}"}}
    document = calling("https://a.example/", **data)

    refused_save = refused(owner.create(document), 400, "INVALID_GRAPH")
    check = owner.post("/api/workflows/check", document).json()
    slug = owner.save(greeting())
    draft = owner.put(f"/api/workflows/{slug}/draft", document).json()

    assert [each["nodeId"] for each in refused_save["problems"]] == ["call"]
    assert [(each["nodeId"], each["field"]) for each in check["problems"]] == [
        ("call", "headers.X")
    ]
    assert ["OTHER" in each["reason"] for each in draft["problems"]] == [True]
    refused(owner.post(f"/api/workflows/{slug}/publish", {"force": True}), 400, "INVALID_GRAPH")


def test_a_secret_that_was_deleted_fails_the_node(owner: Caller, echo: EchoServer) -> None:
    put(owner, "TOKEN")
    slug = owner.save(calling(f"{echo.url}/json", auth={"type": "bearer", "secret": "TOKEN"}))
    owner.delete("/api/secrets/TOKEN")
    before = len(echo.received)

    answer = owner.run(slug)

    body = answer.json()
    assert (answer.status_code, body["nodeCode"], body["nodeId"]) == (500, "secret_missing", "call")
    assert "TOKEN" in body["reason"]
    assert len(echo.received) == before


def test_the_workflows_that_use_a_secret_are_listed(owner: Caller) -> None:
    for name in ("TOKEN", "OTHER"):
        put(owner, name)
    auth = {"type": "bearer", "secret": "TOKEN"}
    live = owner.save(calling("https://a.example/", auth=auth))
    drafted = owner.save(greeting())
    document = calling("https://a.example/?k={{ secret.OTHER }}", auth=auth)
    owner.put(f"/api/workflows/{drafted}/draft", document)

    found = listed(owner)

    assert found["TOKEN"]["usedBy"] == sorted([live, drafted])
    assert found["OTHER"]["usedBy"] == [drafted]
    owner.put(f"/api/workflows/{live}", {**greeting(), "name": "x"})
    owner.delete(f"/api/workflows/{drafted}/draft")
    assert [row["usedBy"] for row in listed(owner).values()] == [[], []]


# -- redirects and errors -------------------------------------------------------------------------


def test_a_secret_follows_a_redirect_at_its_origin_alone(owner: Caller, echo: EchoServer) -> None:
    put(owner, "TOKEN")
    data = {
        "auth": {"type": "header", "secret": "TOKEN", "name": "Accept"},
        "headers": {"User-Agent": "{{ secret.TOKEN }}"},
    }

    here = owner.run(owner.save(calling(f"{echo.url}/here", **data)))
    there = owner.run(owner.save(calling(f"{echo.url}/away", **data)))

    assert [headers["accept"] for _, headers in echo.received[-3:-1]] == [HEADER_VALUE] * 2
    assert (here.status_code, there.status_code) == (200, 200)
    assert "•••" in here.text
    assert there.json()["result"]["url"] == "/json"
    assert "canary" not in f"{here.text}{there.text}"
    assert "•••" not in there.text


@pytest.mark.parametrize("path", ["leak", "disguise"])
def test_a_redirect_that_takes_a_secret_elsewhere_is_not_followed(
    owner: Caller, echo: EchoServer, path: str
) -> None:
    put(owner, "TOKEN")
    slug = owner.save(calling(f"{echo.url}/{path}", auth={"type": "bearer", "secret": "TOKEN"}))

    answer = owner.run(slug)

    assert (answer.status_code, answer.json()["nodeCode"]) == (500, "secret_exposed")
    assert "canary" not in answer.text


@pytest.mark.parametrize("value", ["canary\nX-Evil: 1", "canary42\x00", "canary" * 1_365])
def test_a_value_that_fits_no_header_fails_the_node_without_being_repeated(
    owner: Caller, stub: Stub, value: str
) -> None:
    put(owner, "TOKEN", value)
    slug = owner.save(calling(f"{stub.url}/x", auth={"type": "bearer", "secret": "TOKEN"}))

    answer = owner.run(slug)

    assert (answer.status_code, answer.json()["nodeCode"]) == (500, "secret_invalid")
    assert "canary" not in answer.text
    assert stub.requests == []


@pytest.mark.A77
def test_a_template_shows_others_the_name_of_a_secret_alone(
    owner: Caller, stranger: Caller
) -> None:
    put(owner, "TOKEN")
    auth = {"type": "bearer", "secret": "TOKEN"}
    slug = owner.save({**calling("https://a.example/", auth=auth), "isTemplate": True})

    shown = stranger.get(f"/api/workflows/{slug}")

    assert shown.json()["nodes"][1]["data"]["auth"] == auth
    assert "canary" not in shown.text


def test_a_copy_of_anothers_template_with_secrets_is_a_draft_until_it_is_looked_at(
    administration: Administration, owner: Caller, echo: EchoServer
) -> None:
    put(owner, "TOKEN", "value-of-the-owner")
    auth = {"type": "bearer", "secret": "TOKEN"}
    slug = owner.save({**calling(f"{echo.url}/json", auth=auth), "isTemplate": True})
    other = administration.browser(administration.account("pro"))
    put(other, "TOKEN", "value-of-the-other")

    copied = other.create({"copyOf": slug, "name": "Mine"})

    assert (copied.status_code, copied.json()["version"]) == (201, None)
    path = f"/api/workflows/{copied.json()['slug']}"
    assert other.get(f"{path}/draft").json()["nodes"][1]["data"]["auth"] == auth
    refused(other.post(f"{path}/run", {"inputs": {}}), 409, "WORKFLOW_NOT_RUNNABLE")
    other.delete("/api/secrets/TOKEN")
    refused(other.post(f"{path}/publish"), 400, "INVALID_GRAPH")
    put(other, "TOKEN", "value-of-the-other")
    assert other.post(f"{path}/publish").json()["version"] == 1
    other.clean()
