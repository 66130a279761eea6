"""Documents on the way of a run: nodes, batches, triggers, pinned outputs and HTTP calls."""

from typing import Any

import pytest

from engine.media.documents.types import CSV, DOCX, PDF
from tests.support.contract.approvals import asking_person
from tests.support.contract.batches import ended_batch, inputs_of, items_of, start_batch
from tests.support.contract.installation import Caller, field, form, workflow
from tests.support.contract.triggers import PATH, at, invalid, make, schedule
from tests.support.documents.samples import of_each_kind, samples
from tests.support.gateway.documents import edge, node
from tests.support.http.target import Stub

SAMPLES = samples()
MEDIA = of_each_kind()
OUT = node("out", "responseOutput")


def upload(caller: Caller, kind: str) -> str:
    """Store a medium of a kind; return its id."""
    data, content_type = MEDIA[kind]
    headers = {"content-type": content_type}
    answer = caller.request("POST", "/api/assets", content=data, headers=headers)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def taking(*kinds: str) -> dict[str, Any]:
    """Return a workflow that answers with media from fields of these kinds."""
    fields = [field(each, each, required=True) for each in kinds]
    edges = [edge("in", each, "out", "result-in") for each in kinds]
    return workflow([form(*fields), OUT], edges)


def problems_of(caller: Caller, document: dict[str, Any]) -> list[dict[str, Any]]:
    answer = caller.create(document)
    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_GRAPH"), answer.text
    return list(answer.json()["problems"])


def reading(caller: Caller, url: str) -> bytes:
    return caller.request("GET", url, headers={"x-api-key": ""}).content


def test_several_wires_give_files_beside_the_other_media(caller: Caller) -> None:
    asset_ids = {kind: upload(caller, kind) for kind in ("file", "image")}

    result = caller.run(caller.save(taking("file", "image")), asset_ids).json()["result"]

    assert sorted(result) == ["files", "images"]
    assert reading(caller, result["files"][0]) == SAMPLES[PDF]


@pytest.mark.parametrize("kind", MEDIA)
def test_an_upload_node_gives_a_medium_of_its_kind(caller: Caller, kind: str) -> None:
    asset_id = upload(caller, kind)
    up = node("up", "upload", asset=asset_id)
    up["data"]["kind"] = kind

    result = caller.result([up, OUT], [edge("up", f"{kind}-out", "out", "result-in")])

    assert reading(caller, result[f"{kind}s"][0]) == MEDIA[kind][0]
    for other in MEDIA.keys() - {kind}:
        up["data"]["kind"] = other
        wired = [edge("up", f"{other}-out", "out", "result-in")]
        [problem] = problems_of(caller, workflow([up, OUT], wired))
        assert problem["nodeId"] == "up"


@pytest.mark.parametrize("kind", MEDIA)
def test_a_socket_of_files_takes_files_alone(caller: Caller, kind: str) -> None:
    nodes = [form(field("medium", kind)), node("read", "documentText"), OUT]
    edges = [edge("in", "medium", "read", "file-in"), edge("read", "text-out", "out", "result-in")]

    answer = caller.create(workflow(nodes, edges))

    assert answer.status_code == (201 if kind == "file" else 400), answer.text
    if kind == "file":
        caller.delete(f"/api/workflows/{answer.json()['slug']}")


def test_a_list_of_files_goes_on_as_a_list(caller: Caller) -> None:
    listed = node("list", "list", items=[{"value": "https://example.com/b.csv"}])
    listed["data"]["kind"] = "file"
    edges = [edge("in", "file", "list", "items-in"), edge("list", "items-out", "out", "result-in")]
    given = {"file": "https://example.com/a.pdf"}

    result = caller.result([form(field("file", "file")), listed, OUT], edges, given)

    assert result == {"files": ["https://example.com/b.csv", "https://example.com/a.pdf"]}


def test_the_form_of_an_approval_has_no_fields_of_media(caller: Caller) -> None:
    for kind in MEDIA:
        fields = [{"name": "medium", "type": kind}]
        [problem] = problems_of(caller, asking_person(fields=fields).body())
        assert problem["nodeId"] == "ask"
        assert f"fields[0].type is '{kind}'" in problem["reason"]


@pytest.mark.parametrize("kind", MEDIA)
def test_items_of_a_batch_name_media_of_the_fields_kind(caller: Caller, kind: str) -> None:
    slug = caller.save(taking(kind))
    asset_ids = [upload(caller, each) for each in MEDIA]
    fit = list(MEDIA).index(kind)

    refused = start_batch(caller, slug, inputs_of(kind, *asset_ids))
    begun = start_batch(caller, slug, inputs_of(kind, asset_ids[fit], "https://example.com/a"))

    assert (refused.status_code, refused.json()["code"]) == (400, "INVALID_INPUTS")
    wrong = [each["index"] for each in refused.json()["items"]]
    assert wrong == [index for index in range(len(MEDIA)) if index != fit]
    assert begun.status_code == 202, begun.text
    batch_id = begun.json()["batchId"]
    assert ended_batch(caller, batch_id)["status"] == "completed"
    assert [list(each["result"]) for each in items_of(caller, batch_id)] == 2 * [[f"{kind}s"]]


def test_a_schedule_names_a_file_for_a_field_of_files(browser: Caller) -> None:
    slug = browser.save(taking("file"))
    form_of = {kind: {"file": ("x", *MEDIA[kind])} for kind in MEDIA}
    asset_ids = {
        kind: browser.request("POST", "/api/assets", files=form_of[kind]).json()["id"]
        for kind in MEDIA
    }

    made = make(browser, schedule(slug, inputs={"file": asset_ids["file"]}))

    ended = browser.ended(browser.post(at(made, "/run")).json()["executionId"])
    assert (ended["status"], list(ended["result"])) == ("completed", ["files"])
    for kind in ("image", "video", "audio"):
        wrong = schedule(slug, inputs={"file": asset_ids[kind]})
        invalid(browser.post(PATH, wrong), "inputs.file")
    browser.delete(at(made))


def test_a_pinned_output_of_files_is_a_file(caller: Caller) -> None:
    asset_ids = {kind: upload(caller, kind) for kind in MEDIA}
    up = node("up", "upload", asset=asset_ids["file"])
    up["data"]["kind"] = "file"
    edges = [edge("up", "file-out", "out", "result-in")]
    slug = caller.save(workflow([up, OUT], edges))
    document = caller.get(f"/api/workflows/{slug}").json()
    members = {name: document[name] for name in ("name", "nodes", "edges")}
    assert caller.put(f"/api/workflows/{slug}/draft", members).status_code == 200

    def pinning(kind: str) -> Any:
        body = {"inputs": {}, "pinned": {"up": {"file-out": asset_ids[kind]}}}
        return caller.post(f"/api/workflows/{slug}/draft/run", body)

    pinned = pinning("file")

    assert pinned.status_code == 200, pinned.text
    assert reading(caller, pinned.json()["result"]["files"][0]) == SAMPLES[PDF]
    for kind in ("image", "video", "audio"):
        assert (pinning(kind).status_code, pinning(kind).json()["field"]) == (400, "pinned")


# -- HTTP calls -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["asset", "multipart"])
def test_a_file_is_sent_with_its_type_and_a_name(caller: Caller, stub: Stub, kind: str) -> None:
    body = "{{ file }}" if kind == "asset" else {"document": "{{ file }}"}
    data = {"url": f"{stub.url}/take", "method": "POST", "bodyType": kind, "body": body}
    nodes = [form(field("file", "file")), node("call", "httpRequest", **data), OUT]
    edges = [edge("in", "file", "call", "file"), edge("call", "response-out", "out", "result-in")]
    sent = caller.request(
        "POST", "/api/assets", files={"file": ("a.csv", SAMPLES[CSV], "application/vnd.ms-excel")}
    )

    caller.result(nodes, edges, {"file": sent.json()["id"]})

    (request,) = stub.at("/take")
    if kind == "asset":
        assert (request.headers["content-type"], request.body) == (CSV, SAMPLES[CSV])
    else:
        head = b'name="document"; filename="file.csv"\r\nContent-Type: text/csv\r\n\r\n'
        assert head + SAMPLES[CSV] in request.body


@pytest.mark.parametrize(
    ("content_type", "way"),
    [(PDF, "saved"), (DOCX, "saved"), (PDF, "wired"), (DOCX, "wired"), (CSV, "wired")],
)
def test_an_answer_that_is_a_document_becomes_an_asset(
    caller: Caller, stub: Stub, way: str, content_type: str
) -> None:
    stub.give_file("/document", SAMPLES[content_type], content_type)
    call = node("call", "httpRequest", url=f"{stub.url}/document")
    nodes, end = [call, OUT], ("call", "response-out")
    edges = []
    if way == "saved":
        call["data"]["saveAs"] = "asset"
    else:
        listed = node("list", "list")
        listed["data"]["kind"] = "file"
        nodes.append(listed)
        edges.append(edge(*end, "list", "items-in"))
        end = ("list", "items-out")

    result = caller.result(nodes, [*edges, edge(*end, "out", "result-in")])

    url = result if way == "saved" else result["files"][0]
    answer = caller.request("GET", url, headers={"x-api-key": ""})
    assert answer.content == SAMPLES[content_type]
    assert answer.headers["content-type"].partition(";")[0] == content_type
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_copy_of_a_template_has_a_copy_of_its_file(caller: Caller, stranger: Caller) -> None:
    headers = {"content-type": CSV}
    asset = caller.request("POST", "/api/assets", content=SAMPLES[CSV], headers=headers).json()
    up = node("up", "upload", asset=asset["id"])
    up["data"]["kind"] = "file"
    edges = [edge("up", "file-out", "out", "result-in")]
    slug = caller.save(workflow([up, OUT], edges, isTemplate=True))

    copied = stranger.create({"copyOf": slug, "name": "Mine"})

    assert copied.status_code == 201, copied.text
    result = stranger.run(copied.json()["slug"], {}).json()["result"]
    assert reading(stranger, result["files"][0]) == SAMPLES[CSV]
    copy = stranger.get("/api/assets?limit=1").json()["rows"][0]
    assert (copy["contentType"], copy["id"] == asset["id"]) == (CSV, False)
    stranger.delete(f"/api/workflows/{copied.json()['slug']}")
    stranger.delete(f"/api/assets/{copy['id']}")
