"""The templates that ship, on a stack with the demo provider: each runs, and answers with sense."""

import io
import json
from typing import Any

import httpx2
import pytest
from PIL import Image

from deploy.admin.examples import template_documents
from tests.support.acceptance.commands import json_of
from tests.support.acceptance.running_stack import RunningStack, until
from tests.support.documents.small_pdf import small_pdf
from tests.support.http.target import stub_server

TEMPLATES = template_documents()
INVOICE = next(
    field["default"]
    for node in TEMPLATES["invoice-to-json"]["nodes"]
    for field in node["data"].get("fields", [])
    if field["name"] == "text"
)
NAMES = {document["name"] for document in TEMPLATES.values()}


def run(stack: RunningStack, slug: str, **inputs: Any) -> Any:
    status, answer = stack.api("POST", f"/api/workflows/{slug}/run", {"inputs": inputs})
    assert status == 200, answer
    return answer["result"]


def begin(stack: RunningStack, slug: str, **inputs: Any) -> str:
    path = f"/api/workflows/{slug}/run?async=true"
    status, answer = stack.api("POST", path, {"inputs": inputs})
    assert status == 202, answer
    return str(answer["executionId"])


def templates_of(stack: RunningStack, **options: Any) -> dict[str, Any]:
    _, rows = stack.api("GET", "/api/workflows", **options)
    return {row["name"]: row for row in rows if row["isTemplate"]}


def test_every_account_sees_the_templates_and_copies_one(stack: RunningStack) -> None:
    email = ("--email", "other@example.org")
    other = json_of(stack, "account", "create", *email, "--tier", "business")
    key = json_of(stack, "key", "create", "--account", other["id"], "--preset", "Full deploy")[
        "key"
    ]
    seen = templates_of(stack, key=key)
    slug = seen["Translation of a list"]["slug"]

    status, copy = stack.api("POST", "/api/workflows", {"copyOf": slug, "name": "Mine"}, key=key)

    assert seen.keys() >= NAMES
    assert (status, copy["isTemplate"]) == (201, False)
    assert copy["nodes"] == TEMPLATES["translate-list"]["nodes"]


def test_each_scene_is_an_image_with_its_caption(stack: RunningStack) -> None:
    images = run(stack, "product-images-with-captions", product="Blue kettle")["images"]

    assert len(images) == 3
    for url in images:
        with Image.open(io.BytesIO(httpx2.get(url, timeout=30).content)) as picture:
            picture.load()


def test_a_picture_becomes_a_post_in_three_languages(stack: RunningStack) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (32, 32), "blue").save(picture, "PNG")
    key = {"x-api-key": stack.key, "content-type": "image/png"}
    photo = httpx2.post(
        f"{stack.url}/api/assets", content=picture.getvalue(), headers=key, timeout=30
    ).json()

    result = run(stack, "picture-to-posts-in-three-languages", photo=photo["id"], about="A kettle")

    said = "A kettle [1 image seen]"
    assert result == {
        "description": f"(stub) {said}",
        "english": f"(stub, in English) {said}",
        "german": f"(stub, in German) {said}",
        "french": f"(stub, in French) {said}",
    }


SAID = "Decisions: no blue lids.\nTask: buy lids; owner: Bo\nTask: call the shop; owner: Mia"


def test_a_recording_becomes_notes_and_without_one_a_sample_is_spoken(stack: RunningStack) -> None:
    _, answer = stack.api("POST", "/api/models/gpt-speech/run", {"inputs": {"text": SAID}})
    [recording] = answer["result"]["audios"]

    sample = run(stack, "meeting-notes-from-sound")
    result = run(stack, "meeting-notes-from-sound", recording=recording)

    assert [each["owner"] for each in sample["notes"]["tasks"]] == ["Ada", "Grace"]
    assert "May" in sample["notes"]["summary"]
    assert result["transcript"] == SAID
    assert result["notes"]["tasks"] == [
        {"task": "buy lids", "owner": "Bo"},
        {"task": "call the shop", "owner": "Mia"},
    ]


def test_an_invoice_is_read_and_its_sums_are_checked(stack: RunningStack) -> None:
    right = run(stack, "invoice-to-json")
    wrong = run(stack, "invoice-to-json", text=INVOICE.replace("Total: 144.00", "Total: 150.00"))

    invoice = right["invoice"]
    assert (invoice["invoiceNumber"], invoice["date"], invoice["total"]) == (
        "2026-0415",
        "2026-04-15",
        144,
    )
    assert [line["amount"] for line in invoice["lines"]] == [90, 30]
    assert right["checks"] == {"linesMakeNet": True, "netAndVatMakeTotal": True}
    assert wrong["checks"] == {"linesMakeNet": True, "netAndVatMakeTotal": False}


def test_an_invoice_as_pdf_gives_the_same_with_and_without_a_model_that_takes_pdfs(
    stack: RunningStack,
) -> None:
    pdf = small_pdf(INVOICE.replace("2026-0415", "2026-0777"))
    key = {"x-api-key": stack.key, "content-type": "application/pdf"}
    url = f"{stack.url}/api/assets"
    asset = httpx2.post(url, content=pdf, headers=key, timeout=30).json()
    other = json.loads(json.dumps(TEMPLATES["invoice-to-json"]).replace("gpt-mini", "gemini-flash"))
    status, copy = stack.api(
        "POST", "/api/workflows", {**other, "name": "By text", "isTemplate": False}
    )

    by_pdf = run(stack, "invoice-to-json", invoice=asset["id"])
    by_text = run(stack, copy["slug"], invoice=asset["id"])

    assert status == 201, copy
    assert by_pdf == by_text
    assert by_pdf["invoice"]["invoiceNumber"] == "2026-0777"
    assert by_pdf["invoice"]["supplier"] == "Mill Lane Paper Ltd, Leeds"
    assert [line["amount"] for line in by_pdf["invoice"]["lines"]] == [90, 30]
    assert by_pdf["checks"] == {"linesMakeNet": True, "netAndVatMakeTotal": True}


@pytest.mark.parametrize(
    ("mail", "topic", "is_urgent"),
    [
        ("I was charged twice. It is urgent.", "billing", True),
        ("The page crashes since Monday.", "technical", False),
        ("Do you like my kettle?", "other", False),
    ],
)
def test_a_mail_takes_the_branch_of_its_topic(
    stack: RunningStack, mail: str, topic: str, is_urgent: bool
) -> None:
    path = f"/api/executions/{begin(stack, 'support-mail-triage', mail=mail)}"
    done = until(lambda: stack.api("GET", path)[1], lambda found: found["status"] == "completed")

    result, nodes = done["result"], {node["id"]: node["status"] for node in done["nodes"]}
    assert result["triage"]["topic"] == topic
    assert (result["alarm"] is not None) is is_urgent
    assert mail.partition(".")[0] in result["reply"]
    assert {name for name in ("billing", "technical", "other") if nodes[name] == "completed"} == {
        topic
    }


def test_rows_have_the_answers_of_the_webhook_and_refusals(stack: RunningStack) -> None:
    rows = [{"name": "Ada"}, {"name": "Grace"}]
    with stub_server(values={"/hook": {"score": 7}}) as server:
        good = run(stack, "enrichment-by-webhook", rows=rows, url=f"{server.url}/hook")
        bad = run(stack, "enrichment-by-webhook", rows=rows[:1], url=f"{server.url}/status/422")
        sent = [each.body for each in server.at("/hook")]

    assert good == [{"row": r, "ok": True, "status": 200, "answer": {"score": 7}} for r in rows]
    assert sorted(sent) == [b'{"name":"Ada"}', b'{"name":"Grace"}']
    assert [(each["row"], each["ok"], each["status"]) for each in bad] == [(rows[0], False, 422)]


def test_a_page_is_compared_with_what_it_was(stack: RunningStack) -> None:
    with stub_server(values={"/page": "Prices\nMug 11"}) as server:
        url = f"{server.url}/page"
        first = run(stack, "page-watch", url=url)
        same = run(stack, "page-watch", url=url, before=first["page"])
        server.give("/page", "Prices\nMug 12")
        changed = run(stack, "page-watch", url=url, before=first["page"])

    assert first["changes"]["state"] == "first visit"
    assert (same["changes"], same["report"]) == (
        {"state": "same", "added": [], "removed": []},
        "Nothing to report: same.",
    )
    assert changed["changes"] == {"state": "changed", "added": ["Mug 12"], "removed": ["Mug 11"]}
    assert "Mug 12" in changed["report"]


def test_a_digest_has_the_news_of_each_page_and_is_sent(stack: RunningStack) -> None:
    values = {"/mugs": "Mug 2.0 is out.", "/kettles": {"news": "Kettle 3 boils faster."}}
    with stub_server(values=values) as server:
        pages = [f"{server.url}{path}" for path in ("/mugs", "/status/404", "/kettles")]
        quiet = run(stack, "daily-digest", sources=pages)
        sent = run(stack, "daily-digest", sources=pages, sendTo=f"{server.url}/chat")
        [message] = [json.loads(each.body) for each in server.at("/chat")]

    assert all(each in quiet["digest"] for each in ("Mug 2.0", "Kettle 3", pages[0]))
    assert [each["page"] for each in quiet["failed"]] == [pages[1]]
    assert "404" in quiet["failed"][0]["reason"]
    assert (quiet["sent"], sent["sent"]) == (None, 200)
    assert message == {"text": sent["digest"]}


@pytest.mark.parametrize(
    ("answer", "post"),
    [
        ({"decision": "approve"}, "(stub) Lids are cheaper."),
        ({"decision": "approve", "fields": {"text": "Lids: half price"}}, "Lids: half price"),
        ({"decision": "refuse", "note": "Not true"}, None),
    ],
)
def test_a_post_is_sent_only_after_a_yes(
    stack: RunningStack, answer: dict[str, Any], post: str | None
) -> None:
    with stub_server(values={"/chat": {}}) as server:
        inputs = {"topic": "Lids are cheaper.", "sendTo": f"{server.url}/chat"}
        begun = begin(stack, "post-after-approval", **inputs)
        asked = stack.waiting(begun)
        early = len(server.at("/chat"))
        status, _ = stack.api("POST", f"/api/executions/{begun}/approvals/ask", answer)
        done = stack.ended(begun)
        sent = [json.loads(each.body) for each in server.at("/chat")]

    assert asked["waitingFor"][0]["message"] == "(stub) Lids are cheaper."
    assert (early, status) == (0, 200)
    assert sent == ([{"text": post}] if post else [])
    assert done["result"] == {
        "post": post,
        "decision": {"decision": answer["decision"], "note": answer.get("note"), "by": "key"},
        "sent": 200 if post else None,
    }


def test_a_reminder_comes_after_its_time(stack: RunningStack) -> None:
    with stub_server(values={"/chat": {}}) as server:
        told = run(stack, "remind-me-later", text="Tea", minutes=0.02, sendTo=f"{server.url}/chat")
        [message] = [json.loads(each.body) for each in server.at("/chat")]

    assert told == {"reminder": "Tea", "sent": 200}
    assert message == {"text": "Tea"}


@pytest.mark.parametrize(
    ("title", "kind", "has_reply"),
    [("The lid fails to close", "bug", True), ("Please support blue kettles", "feature", False)],
)
def test_an_issue_is_sorted_and_a_bug_gets_a_reply(
    stack: RunningStack, title: str, kind: str, has_reply: bool
) -> None:
    url = "https://github.com/o/k/issues/1"
    issue = {"title": title, "body": None, "html_url": url, "user": {"login": "grace"}}

    # The whole body of GitHub's event; the fields are two of its members.
    event = {"action": "opened", "issue": issue, "repository": {"full_name": "o/k"}}
    result = run(stack, "on-a-github-issue", **event)

    assert result["url"] == url
    assert result["triage"]["kind"] == kind
    assert bool(result["reply"]) is has_reply
    assert not has_reply or ("grace" in result["reply"] and title in result["reply"])


def test_each_text_of_a_list_is_translated(stack: RunningStack) -> None:
    result = run(stack, "translation-of-a-list", texts=["One", "Two"], language="Polish")

    assert result == [
        {"text": "One", "translation": "(stub, in Polish) One"},
        {"text": "Two", "translation": "(stub, in Polish) Two"},
    ]


def test_the_nearest_entry_comes_first(stack: RunningStack) -> None:
    asked = run(stack, "search-by-meaning", question="When are invoices sent?")
    twice = run(stack, "search-by-meaning", entries=["mug", "mug", "kettle"], question="mug")

    assert asked[0]["entry"].startswith("Invoices are sent")
    assert [hit["score"] for hit in asked] == sorted((hit["score"] for hit in asked), reverse=True)
    assert [hit["entry"] for hit in twice][:2] == ["mug", "mug"]


def upload(stack: RunningStack, data: bytes, content_type: str) -> str:
    key = {"x-api-key": stack.key, "content-type": content_type}
    answer = httpx2.post(f"{stack.url}/api/assets", content=data, headers=key, timeout=30)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_an_answer_from_documents_names_its_passages(stack: RunningStack) -> None:
    notes = [f"Line {number} of the notes is about kettles. " * 20 for number in range(30)]
    page = upload(stack, small_pdf("Ada orders blue lids before Friday."), "application/pdf")
    text = upload(stack, "\n\n".join(notes).encode(), "text/plain")
    question = "Who orders blue lids?"
    inputs = {"document": text, "second": page, "question": question}

    result = run(stack, "answer-from-these-documents", **inputs)

    first, *others = result["sources"]
    assert (first["number"], first["passage"]) == (1, "Ada orders blue lids before Friday.")
    assert len(others) == 5 and all("kettles" in each["passage"] for each in others)
    assert first["score"] > max(each["score"] for each in others)
    assert question in result["answer"] and f"[1] {first['passage']}" in result["answer"]


def test_an_answer_from_notes_needs_no_document(stack: RunningStack) -> None:
    result = run(stack, "answer-from-these-documents")

    assert "Ada orders the blue lids" in result["sources"][0]["passage"]
    assert "Ada orders the blue lids" in result["answer"]


def test_rows_are_enriched_by_a_model_and_those_that_failed_are_apart(
    stack: RunningStack,
) -> None:
    rows = [{"company": "Acme"}, {"city": "Porto"}, {"company": "Kettle & Co"}]

    result = run(stack, "enrichment-of-rows-by-a-model", rows=rows, question="What?")

    assert [each["row"] for each in result["enriched"]] == [rows[0], rows[2]]
    assert all("What?" in each["answer"] for each in result["enriched"])
    assert "Acme" in result["enriched"][0]["answer"]
    ((row, reason),) = ((each["row"], each["reason"]) for each in result["failed"])
    assert row == rows[1] and "company" in reason


def test_a_report_has_the_summary_of_a_workflow_of_its_own(stack: RunningStack) -> None:
    text = run(stack, "meeting-report", title="Lids", notes="Ada orders lids.")["text"]

    title, summary, tasks = text.split("\n\n", 1)[0], *text.split("\n\n## To do\n\n")
    assert title == "# Lids"
    assert "Sum the text up in 2 sentences" in summary and "Ada orders lids." in summary
    assert "List what is to be done" in tasks


def test_a_copy_of_the_report_brings_the_summary_along(stack: RunningStack) -> None:
    email = ("--email", "reporter@example.org")
    other = json_of(stack, "account", "create", *email, "--tier", "business")
    key = json_of(stack, "key", "create", "--account", other["id"], "--preset", "Full deploy")[
        "key"
    ]

    status, copy = stack.api("POST", "/api/workflows", {"copyOf": "meeting-report"}, key=key)
    path = f"/api/workflows/{copy['slug']}/run"
    ran, answer = stack.api("POST", path, {"inputs": {"notes": "Ada orders lids."}}, key=key)

    assert (status, list(copy["copiedWorkflows"])) == (201, ["summary-of-a-text"])
    assert (ran, "Sum the text up" in str(answer["result"])) == (200, True)


@pytest.mark.parametrize(("stars", "for_person"), [(5, False), (2, True)])
def test_a_review_is_answered_and_a_bad_one_handed_on(
    stack: RunningStack, stars: int, for_person: bool
) -> None:
    result = run(stack, "reply-to-a-review", name="Grace", review="The lid broke.", stars=stars)

    assert "Grace" in result["reply"] and "The lid broke." in result["reply"]
    assert result["forPerson"] is for_person


@pytest.mark.parametrize(
    ("reply", "score"),
    [("Thank you, Grace. We are sorry that this went wrong.", 1), ("Lids break.", 0)],
)
def test_a_judge_scores_a_reply(stack: RunningStack, reply: str, score: int) -> None:
    result = run(stack, "score-of-a-reply", review="The lid broke.", reply=reply)

    assert (result["score"], bool(result["reason"])) == (score, True)


def ran_tests(stack: RunningStack, slug: str, version: int | str) -> dict[str, Any]:
    """Run the tests of a workflow; return the test run once it is over."""
    status, started = stack.api("POST", f"/api/workflows/{slug}/tests/run", {"version": version})
    assert status == 202, started
    path = f"/api/test-runs/{started['testRunId']}"
    return until(lambda: stack.api("GET", path)[1], lambda run: run["status"] != "processing")


def test_the_tests_of_a_copied_template_pass_until_its_prompt_gets_worse(
    stack: RunningStack,
) -> None:
    email = ("--email", "reviewer@example.org")
    other = json_of(stack, "account", "create", *email, "--tier", "business")
    key = json_of(stack, "key", "create", "--account", other["id"], "--preset", "Full deploy")
    made = {"copyOf": "reply-to-a-review"}
    status, copy = stack.api("POST", "/api/workflows", made, key=key["key"])
    own = ran_tests(stack, "reply-to-a-review", 1)

    worse = [
        {**node, "data": {**node["data"], "prompt": "{{ review }} {{ name }}"}}
        if node["id"] == "reply"
        else node
        for node in TEMPLATES["review-reply"]["nodes"]
    ]
    body = {"nodes": worse, "edges": TEMPLATES["review-reply"]["edges"]}
    stack.api("PUT", "/api/workflows/reply-to-a-review/draft", {"name": "Worse", **body})
    caught = ran_tests(stack, "reply-to-a-review", "draft")
    stack.api("DELETE", "/api/workflows/reply-to-a-review/draft")

    assert (status, list(copy["copiedWorkflows"])) == (201, ["score-of-a-reply"])
    assert own["counts"] == {"passed": 3, "failed": 0, "error": 0, "pending": 0}
    verdicts = {row["name"]: row["verdict"] for row in caught["rows"]}
    assert verdicts == {
        "bad-stars-go-to-a-person": "passed",  # its answer is pinned
        "sorry-for-a-fault": "failed",
        "thanks-for-praise": "failed",
    }


def steps_of(stack: RunningStack, execution_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.api("GET", f"/api/executions/{execution_id}/nodes/agent")[
        1
    ]["steps"]
    return found


def test_the_support_agent_looks_an_order_up_and_answers(stack: RunningStack) -> None:
    begun = begin(stack, "support-agent", mail="Where is my order 1041?")
    done = stack.ended(begun)

    assert done["status"] == "completed", done["error"]
    assert "Blue steel kettle" in done["result"]["text"]
    model, tool, answer = steps_of(stack, begun)
    assert [each["kind"] for each in (model, tool, answer)] == ["model", "tool", "model"]
    assert (tool["name"], tool["input"]) == ("look-up-an-order", {"order": "1041"})
    told = stack.command("execution", "show", begun, "--node", "agent").stdout
    assert [each["name"] in told for each in (model, tool)] == [True, True]
    assert tool["output"]["order"]["customer"] == "Ada"
    assert done["creditsCost"] == sum(each["creditsCost"] for each in (model, tool, answer)) > 0


@pytest.mark.parametrize(
    ("decision", "refunded"), [("approve", True), ("refuse", False)], ids=["approve", "refuse"]
)
def test_the_support_agent_refunds_only_after_a_yes(
    stack: RunningStack, decision: str, refunded: bool
) -> None:
    mail = "The lid of order 1042 is broken. Please refund it."
    begun = begin(stack, "support-agent", mail=mail)
    [asked] = stack.waiting(begun)["waitingFor"]
    waiting = steps_of(stack, begun)[-1]
    path = f"/api/executions/{asked['executionId']}/approvals/{asked['nodeId']}"
    status, _ = stack.api("POST", path, {"decision": decision, "note": "By the book"})
    done = stack.ended(begun)

    assert "refund-an-order" in asked["title"] and "1042" in asked["message"]
    assert (waiting["status"], waiting["approval"]["decision"]) == ("waiting", None)
    assert waiting["approval"]["executionId"] == asked["executionId"]
    assert (status, done["status"]) == (200, "completed")
    refund = next(e for e in steps_of(stack, begun) if e["name"] == "refund-an-order")
    assert refund["approval"]["decision"] == decision
    assert (refund["output"] or {}).get("refunded", False) is refunded
    assert (refund["error"] is None) is refunded
    assert refund["input"] == {"order": "1042", "amount": 12.5}
    assert ("R-1042" in done["result"]["text"]) is refunded


def test_a_copy_of_the_agent_brings_its_tools_along(stack: RunningStack) -> None:
    email = ("--email", "supporter@example.org")
    other = json_of(stack, "account", "create", *email, "--tier", "business")
    key = json_of(stack, "key", "create", "--account", other["id"], "--preset", "Full deploy")[
        "key"
    ]

    status, copy = stack.api("POST", "/api/workflows", {"copyOf": "support-agent"}, key=key)

    assert (status, sorted(copy["copiedWorkflows"])) == (
        201,
        ["look-up-an-order", "refund-an-order"],
    )
    [agent] = [node["data"] for node in copy["nodes"] if node["type"] == "agent"]
    slugs = list(copy["copiedWorkflows"].values())
    assert sorted(each["workflow"] for each in agent["tools"]) == sorted(slugs)
    assert agent["approve"] == [copy["copiedWorkflows"]["refund-an-order"]]
    path = f"/api/workflows/{copy['slug']}/run"
    ran, answer = stack.api("POST", path, {"inputs": {"mail": "Where is order 1043?"}}, key=key)
    assert (ran, "Tea strainer" in str(answer)) == (200, True)
