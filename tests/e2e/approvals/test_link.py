"""The page behind the link of an approval: a phone, no account, no scripts, hostile texts."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import MakePage
from tests.support.acceptance.running_stack import RunningStack
from tests.support.e2e.approvals import FORM, asking_person, begin, link_of
from tests.support.e2e.axe import violations
from tests.support.e2e.workflows import edge

pytestmark = pytest.mark.slow
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
HOSTILE = (
    '</h1></title><script>document.title = "run"; alert(1)</script>'
    '<img src="https://evil.example/a.png" onerror="alert(1)"><iframe src=//evil.example></iframe>'
    '<style>body { display: none }</style><form action="https://evil.example"><button>Win</button>'
    " [win](https://evil.example) ![](https://evil.example/b.png) https://evil.example/c.png"
)
CANARY = "canary-of-"
SCANNERS = (
    "Mozilla/5.0 (compatible; Google-Safety; +http://www.google.com/bot.html)",
    "Barracuda Sentinel (EE)",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 SafeLinks",
    "Slackbot-LinkExpanding 1.0",
)


class Asked(NamedTuple):
    """A run that waits for a person."""

    link: str
    execution_id: str


Ask = Callable[..., Asked]


@pytest.fixture
def ask(page: Page, stack: RunningStack) -> Ask:
    """Save a workflow that asks a person, and begin a run of it."""

    def make(document: dict[str, Any] | None = None, **inputs: str) -> Asked:
        document = document or asking_person("Asks a person")
        status, saved = stack.api("POST", "/api/workflows", document)
        assert status in (200, 201), saved
        execution_id = begin(stack, saved["slug"], {"what": "A warm mug.", **inputs})
        return Asked(link_of(page, execution_id), execution_id)

    return make


def test_a_person_without_an_account_answers_on_a_phone_without_scripts(
    ask: Ask, make_page: MakePage, stack: RunningStack, complaints: list[str]
) -> None:
    asked = ask()
    phone: Page = make_page(java_script_enabled=False, **PHONE)
    sent: list[str] = []
    phone.on("request", lambda request: sent.append(request.method))

    phone.goto(asked.link)

    expect(phone.get_by_role("heading", name="Post it?")).to_be_visible()
    expect(phone.get_by_text("A warm mug.")).to_be_visible()
    assert _width(phone) == 360, "nothing is wider than the phone"
    assert min(_heights(phone)) >= 44, "a finger hits each control"
    phone.get_by_label("Title").fill("A title")
    phone.get_by_label("Title").press("Enter")
    phone.get_by_label("Title").fill("")
    phone.get_by_role("button", name="Approve").click()
    assert sent == ["GET"], "Enter decides nothing, nor does a button while a field is missing"

    phone.get_by_label("Title").fill("A title that is much too long")
    phone.get_by_label("Body").fill("One\nTwo")
    phone.get_by_label("lively").check()
    phone.get_by_label("Yes").check()
    phone.get_by_role("button", name="Approve").click()
    expect(phone.get_by_role("alert")).to_contain_text("Nothing is decided yet.")
    expect(phone.get_by_text("This must have at most 20 characters.")).to_have_count(2)
    expect(phone.get_by_label("Title")).to_have_value("A title that is much too long")
    expect(phone.get_by_label("Body")).to_have_value("One\nTwo")
    expect(phone.get_by_label("lively")).to_be_checked()

    phone.get_by_label("Title").fill("A title")
    phone.get_by_label("Note").fill("Well done.")
    phone.get_by_role("button", name="Approve").click()

    expect(phone.get_by_role("heading", name="Approved")).to_be_visible()
    run = stack.ended(asked.execution_id)
    assert (run["status"], run["result"]["approved"], run["result"]["refused"]) == (
        "completed",
        "A warm mug.",
        None,
    )
    answer = run["result"]["answer"]
    assert (answer["note"], answer["by"]["kind"]) == ("Well done.", "link")
    assert answer["fields"] == {
        "title": "A title",
        "body": "One\nTwo",
        "warmth": 4,
        "tone": "lively",
        "loud": True,
        "extra": {"a": 1},
    }
    phone.goto(asked.link)
    expect(phone.get_by_role("heading", name="This is no longer asked for")).to_be_visible()
    complaints.clear()  # the browser tells of the statuses 400 and 410


def test_a_refusal_needs_no_field(ask: Ask, make_page: MakePage, stack: RunningStack) -> None:
    asked = ask()
    phone: Page = make_page(java_script_enabled=False, **PHONE)
    phone.goto(asked.link)

    phone.get_by_role("button", name="Refuse").click()

    expect(phone.get_by_role("heading", name="Refused")).to_be_visible()
    run = stack.ended(asked.execution_id)
    assert (run["status"], run["result"]["refused"]) == ("completed", "A warm mug.")


@pytest.mark.A94c
def test_what_scanners_of_mails_do_decides_nothing(
    ask: Ask, make_page: MakePage, stack: RunningStack
) -> None:
    asked = ask()
    scanner: Page = make_page()

    for agent in SCANNERS:
        for method in ("HEAD", "GET", "OPTIONS"):
            headers = {"user-agent": agent, "sec-purpose": "prefetch"}
            answer = scanner.request.fetch(asked.link, method=method, headers=headers)
            assert answer.status == (405 if method == "OPTIONS" else 200)
    for _ in range(3):
        scanner.goto(f"{asked.link}?decision=approve&fields.title=x")

    _, run = stack.api("GET", f"/api/executions/{asked.execution_id}")
    assert (run["status"], len(run["waitingFor"])) == ("processing", 1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_state_of_the_page_is_accessible(
    theme: str, ask: Ask, make_page: MakePage, complaints: list[str]
) -> None:
    asked = ask()
    phone: Page = make_page(color_scheme=theme, **PHONE)

    def look(heading: str) -> None:
        expect(phone.get_by_role("heading", name=heading)).to_be_visible()
        assert violations(phone) == []
        assert _width(phone) == 360

    phone.goto(asked.link)
    look("Post it?")
    for name, text in (("Title", "x" * 30), ("Extra", "{")):
        phone.get_by_label(name).fill(text)
    phone.get_by_role("button", name="Approve").click()
    look("Post it?")
    expect(phone.get_by_role("alert").get_by_role("link")).to_have_text(["Title", "Extra"])
    phone.get_by_role("alert").get_by_role("link", name="Extra").click()
    expect(phone.get_by_label("Extra")).to_be_in_viewport()
    phone.get_by_label("Title").fill("x")
    phone.get_by_label("Extra").fill("[]")
    phone.get_by_role("button", name="Approve").click()
    look("Approved")
    phone.goto(asked.link)
    look("This is no longer asked for")
    phone.goto("/approvals/unknown")
    look("This link leads to nothing")
    complaints.clear()  # the browser tells of each status of 400 and more


@pytest.mark.A97a
def test_hostile_texts_are_shown_as_texts(ask: Ask, make_page: MakePage) -> None:
    form = [
        {**each, "label": f"{each['label']} {HOSTILE[:400]}", "helperText": HOSTILE}
        for each in FORM
    ]
    asked = ask(asking_person("Hostile", title="{{ what }}", fields=form), what=HOSTILE[:480])
    victim: Page = make_page(**PHONE)
    victim.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))

    victim.goto(asked.link)

    expect(victim.get_by_role("heading", level=1)).to_have_text(HOSTILE[:480])
    found = "Array.from(document.querySelectorAll('a, img, iframe, script, video, object, link'))"
    assert victim.evaluate(f"{found}.length") == 0
    assert victim.evaluate("document.forms.length") == 1
    assert victim.evaluate("document.forms[0].action") == asked.link
    assert _width(victim) == 360
    assert violations(victim) == []


@pytest.mark.A97a
def test_the_page_cannot_be_framed(ask: Ask, make_page: MakePage, complaints: list[str]) -> None:
    asked = ask()
    page: Page = make_page()
    with page.expect_response(asked.link):
        page.set_content(f'<iframe src="{asked.link}"></iframe>')
    page.wait_for_load_state("networkidle")

    assert page.frames[-1].content().count("Post it?") == 0
    complaints.clear()  # the refusal


@pytest.mark.A97b
def test_nothing_but_title_message_and_form_is_told(
    ask: Ask, make_page: MakePage, stack: RunningStack, page: Page
) -> None:
    document = asking_person(f"{CANARY}name", tags=[f"{CANARY}tag"])
    document["nodes"][0]["data"]["fields"].append(
        {"name": "hidden", "label": f"{CANARY}label", "type": "text"}
    )
    document["edges"][0] = edge("form", "hidden", "ask", "value-in")
    document = json.loads(json.dumps(document).replace('"ask"', f'"{CANARY}node"'))
    asked = ask({**document, "description": f"{CANARY}description"}, hidden=f"{CANARY}value")
    me = page.request.get("/api/me").json()["user"]
    _, run = stack.api("GET", f"/api/executions/{asked.execution_id}")
    hidden = [
        *(CANARY, asked.execution_id, me["id"], me["email"], stack.key),
        *(run["keyId"], run["workflowSlug"], run["createdAt"], run["waitingFor"][0]["until"]),
    ]
    visitor: Page = make_page()

    answers = [
        visitor.request.get(asked.link),
        visitor.request.post(asked.link, form={"decision": "approve"}),
        visitor.request.post(asked.link, form={"decision": "refuse"}),
        visitor.request.get(asked.link),
    ]

    assert [each.status for each in answers] == [200, 400, 200, 410]
    assert "Post it?" in answers[0].text()
    assert "Post it?" not in answers[3].text()
    told = [f"{each.text()}{sorted(each.headers.items())}" for each in answers]
    assert [(each, text) for each in hidden for text in told if each in text] == []


def _width(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def _heights(page: Page) -> Sequence[float]:
    """Return the heights of what a finger hits: a label belongs to its radio button."""
    controls = page.locator(
        "input:not([type=radio]), select, textarea, .decisions button, label:has(input)"
    )
    boxes = [each.bounding_box() for each in controls.all()]
    assert len(boxes) > len(FORM)
    return [box["height"] if box else 0.0 for box in boxes]
