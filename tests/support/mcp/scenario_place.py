"""Stack of the scenarios of MCP: two gateways, two workers, accounts with workflows, a lab."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.net.http_client import call
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import RunningStack, running
from tests.support.factories import Graph
from tests.support.mcp.scenario_lab import ScenarioLab, lab_beside
from tests.support.oauth.person import Person

SEVERAL = ("--no-demo", "--gateways", "2", "--workers", "2", "--demo-provider")
PAGE = 100
MANY = PAGE + 5
"""Tools of the account `many`, on two pages."""
SECONDS = 60


def field(name: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "label": name, "type": kind, **more}


def form(*fields: dict[str, Any]) -> Graph:
    return Graph().node("form", "requestInput", fields=list(fields))


def calling(lab: str) -> dict[str, Any]:
    """Return a workflow that calls the lab, which answers late or with an error."""
    texts = (("status", "200"), ("seconds", "0"), ("mark", ""))
    url = f"{lab}/answer?status={{{{ status }}}}&seconds={{{{ seconds }}}}&mark={{{{ mark }}}}"
    graph = form(*(field(name, default=value) for name, value in texts))
    graph.node("call", "httpRequest", url=url, timeoutSeconds=SECONDS).node("out", "responseOutput")
    graph.wire(*(f"form.{name} > call.{name}" for name, _ in texts))
    return graph.wire("call.response-out > out.result-in").body("Scenario call")


def greeting() -> dict[str, Any]:
    graph = form(field("name", default="Ada", helperText="Who is greeted.", maxLength=80))
    graph.node("text", "textBox", text="Hello {{ name }}").node("out", "responseOutput")
    graph.wire("form.name > text.name", "text.text-out > out.result-in")
    body = graph.body("Scenario greeting")
    return {**body, "description": "Greets somebody by name."}


def named() -> dict[str, Any]:
    """Return a workflow with named outputs: a text, a number and an object."""
    graph = form(field("name"), field("times", "number", min=1, max=9, required=True))
    graph.node("text", "textBox", text="Hello {{ name }}")
    graph.node("twice", "transform", expression="value * 2.0")
    graph.node("both", "transform", expression="{'name': name, 'times': value}", variables=["name"])
    names = ("greeting", "double", "both")
    graph.node("out", "responseOutput", fields=[{"name": name} for name in names])
    graph.wire("form.name > text.name", "form.times > twice.value-in", "form.times > both.value-in")
    graph.wire("form.name > both.name", "text.text-out > out.greeting")
    graph.wire("twice.value-out > out.double", "both.value-out > out.both")
    return graph.body("Scenario named")


def listing() -> dict[str, Any]:
    """Return a workflow whose result is a list."""
    graph = form(field("name", default="Ada"))
    graph.node("list", "transform", expression="[value, value]").node("out", "responseOutput")
    graph.wire("form.name > list.value-in", "list.value-out > out.result-in")
    return graph.body("Scenario list")


def drawing(lab: str) -> dict[str, Any]:
    """Return a workflow whose result is an image, an asset."""
    graph = form()
    graph.node("fetch", "httpRequest", url=f"{lab}/picture.png")
    graph.node("resize", "imageResize", width=2).node("out", "responseOutput")
    graph.wire("fetch.response-out > resize.image-in", "resize.image-out > out.result-in")
    return graph.body("Scenario picture")


def echoing() -> dict[str, Any]:
    """Return a workflow whose result is the document or the sound that it is given."""
    graph = form(field("file", "file"), field("sound", "audio")).node("out", "responseOutput")
    graph.wire("form.file > out.result-in", "form.sound > out.result-in")
    return graph.body("Scenario echo")


def asking() -> dict[str, Any]:
    """Return a workflow that asks a person."""
    graph = form(field("name", default="Ada"))
    graph.node("ask", "approval", title="Greet {{ name }}?", message="Hello {{ name }}")
    names = ("approved", "refused")
    graph.node("out", "responseOutput", fields=[{"name": name} for name in names])
    graph.wire("form.name > ask.value-in", "form.name > ask.name")
    graph.wire("ask.approved-out > out.approved", "ask.refused-out > out.refused")
    return graph.body("Scenario ask")


def paid() -> dict[str, Any]:
    """Return a workflow with a model that costs credits."""
    graph = form(field("prompt", default="Hello"))
    graph.node("model", "assistant", model="gpt-mini").node("out", "responseOutput")
    graph.wire("form.prompt > model.prompt-in", "model.text-out > out.result-in")
    return graph.body("Scenario paid")


def plain(name: str) -> dict[str, Any]:
    graph = form(field("name", default="Ada"))
    graph.node("out", "responseOutput").wire("form.name > out.result-in")
    return graph.body(name)


@dataclass(frozen=True)
class Place:
    """A stack with the workflows of the scenarios, and the lab beside it."""

    stack: RunningStack
    lab: ScenarioLab

    @property
    def url(self) -> str:
        """Return the address of the server, through the proxy."""
        return f"{self.lab.proxy_url}/mcp"


def make_account(stack: RunningStack, name: str, tier: str = "enterprise", *more: str) -> str:
    """Return the id of a new account."""
    email = f"{name}@example.org"
    made = json_of(stack, "account", "create", "--email", email, "--tier", tier, *more)
    return str(made["id"])


def make_key(stack: RunningStack, account: str, *capabilities: str) -> str:
    """Return a new key of an account, by default with all that the scenarios need."""
    given = [
        each
        for one in capabilities or ("workflow:*", "execution:approve")
        for each in ("--capability", one)
    ]
    return str(json_of(stack, "key", "create", "--account", account, *given)["key"])


def save(stack: RunningStack, key: str, *documents: dict[str, Any]) -> None:
    for body in documents:
        status, answer = call("POST", f"{stack.url}/api/workflows", key=key, body=body)
        assert status == 201, answer


@contextmanager
def scenario_place(folder: Path, **environ: str) -> Iterator[Place]:
    """Start the stack of the scenarios."""
    private = {"HEADRACE_ALLOW_PRIVATE_URLS": "1"}
    with (
        running(folder, *SEVERAL, **private, **environ) as stack,
        lab_beside(stack) as lab,
    ):
        main = make_account(stack, "main", "enterprise", "--credits", "100000")
        lab.keys = {
            "main": make_key(stack, main),
            "second": make_key(stack, main),
            "narrow": make_key(stack, main, "workflow:scenario-greeting:run"),
            "reading": make_key(stack, main, "workflow:read"),
            "poor": make_key(stack, make_account(stack, "poor")),
            "limited": make_key(stack, make_account(stack, "limited", "pro")),
            "many": make_key(stack, make_account(stack, "many")),
            "wrong": "hr_live_wrong",
        }
        ours = (
            *(greeting(), named(), listing(), asking(), paid()),
            *(calling(lab.url), drawing(lab.url), echoing()),
            {**plain("Scenario hidden"), "hidden": True},
            {**plain("Scenario draft"), "draft": True},
        )
        lab.consent = Person(stack, main).consent
        save(stack, lab.keys["main"], *ours)
        save(stack, lab.keys["poor"], {**paid(), "name": "Poor"})
        save(stack, lab.keys["limited"], plain("Limited"))
        save(stack, lab.keys["many"], *(plain(f"Many {number:03}") for number in range(MANY)))
        yield Place(stack, lab)
