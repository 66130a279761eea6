"""Filters of executions, figures and the ledger, against sums over the caller's own runs."""

import time
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.contract.installation import ALL, Administration, Caller
from tests.support.contract.shapes import assert_fits, number, sentence, text_or_null
from tests.support.contract.shapes import moment as is_moment
from tests.support.gateway.documents import NAME_FIELD, edge, node

ROUTES = {
    "GET /api/usage/series": "any key or session",
    "GET /api/ledger": "any key or session",
}
MODEL = "contract-chat"
FIGURES = ("runs", "failed", "credits", "p50Ms", "p95Ms")
LENGTHS = {"minute": 60, "hour": 3_600, "day": 86_400}


def picky(name: str) -> dict[str, Any]:
    """A workflow that fails without a name."""
    return {
        "name": name,
        "nodes": [
            node("in", "requestInput", fields=[NAME_FIELD]),
            node("text", "transform", expression="value == '' ? string(int('x')) : value"),
            node("out", "responseOutput"),
        ],
        "edges": [
            edge("in", "name", "text", "value-in"),
            edge("text", "value-out", "out", "result-in"),
        ],
    }


class Ran:
    """An account with runs of several workflows, versions, keys, sources, outcomes and a model."""

    def __init__(self, administration: Administration) -> None:
        account = administration.account("business", role="user")
        self.first, self.second = (
            administration.with_key(administration.key(account, *ALL, "model:*")) for _ in range(2)
        )
        self.browser = administration.browser(account)
        self.keys = [each["id"] for each in self.browser.get("/api/api-keys").json()]
        slugs = [self.first.save(picky(f"Picky {uuid.uuid4().hex[:6]}")) for _ in range(2)]
        self.slug = slugs[0]
        for slug in slugs:
            for caller in (self.first, self.second, self.browser):
                for name in ("Ada", "", "Eve"):
                    caller.run(slug, {"name": name})
        document = picky("Changed")
        document["nodes"][1]["data"] = {"expression": "value + '!'"}
        assert self.first.put(f"/api/workflows/{slugs[0]}", document).status_code == 200
        self.first.run(slugs[0], {"name": "Bob"})
        for _ in range(2):
            self.second.run_model(MODEL, {"prompt": "Hello"})
        self.rows = self.all("")
        self.full = [self.first.execution(each["executionId"]) for each in self.rows]

    def all(self, query: str) -> list[Any]:
        """Return all rows of the list with these filters, a few at a time."""
        rows: list[Any] = []
        cursor = ""
        while True:
            answer = self.first.get(f"/api/executions?limit=7{query}{cursor}")
            assert answer.status_code == 200, answer.text
            rows += answer.json()["rows"]
            if answer.json()["nextCursor"] is None:
                return rows
            cursor = f"&cursor={answer.json()['nextCursor']}"

    def of(self, fits: Any) -> list[Any]:
        """Return the rows of the executions that fit."""
        return [row for row, full in zip(self.rows, self.full, strict=True) if fits(full)]


@pytest.fixture(scope="module")
def ran(administration: Administration, stack: object) -> Ran:
    return Ran(administration)


def code_of(full: Any) -> str | None:
    return full["error"]["code"] if full["error"] else None


def test_the_account_has_runs_of_every_kind(ran: Ran) -> None:
    assert len(ran.rows) == 21
    assert {row["status"] for row in ran.rows} == {"completed", "failed"}
    assert {row["source"] for row in ran.rows} == {"api-workflow", "app", "api-slim"}


def test_each_filter_finds_its_executions(ran: Ran) -> None:
    sources = ("api-workflow", "app", "api-slim", "app-draft")
    filters: dict[str, Any] = {
        "&status=failed": lambda x: x["status"] == "failed",
        "&status=failed&status=completed": lambda x: True,
        "&status=failed&status=cancelled": lambda x: x["status"] == "failed",
        "&status=processing": lambda x: False,
        f"&workflowSlug={ran.slug}": lambda x: x["workflowSlug"] == ran.slug,
        **{f"&source={s}": lambda x, s=s: x["source"] == s for s in sources},
        **{f"&keyId={k}": lambda x, k=k: x["keyId"] == k for k in ran.keys},
        "&keyId=key_none": lambda x: False,
        "&keyId=-": lambda x: x["keyId"] is None,
        f"&httpRequestId={ran.full[3]['httpRequestId']}": lambda x: (
            x["httpRequestId"] == ran.full[3]["httpRequestId"]
        ),
        "&httpRequestId=nobodys": lambda x: False,
        f"&modelId={MODEL}": lambda x: MODEL in x["modelIds"],
        "&modelId=none": lambda x: False,
        "&modelId=-": lambda x: x["modelIds"] == [],
        f"&modelId=-&workflowSlug={ran.slug}": lambda x: x["workflowSlug"] == ran.slug,
        "&errorCode=EXECUTION_FAILED": lambda x: code_of(x) == "EXECUTION_FAILED",
        "&errorCode=none": lambda x: False,
        "&version=1": lambda x: x["workflowVersion"] == 1,
        "&version=2": lambda x: x["workflowVersion"] == 2,
        f"&version=1&source=app&status=failed&workflowSlug={ran.slug}": lambda x: (
            (x["workflowVersion"], x["source"], x["status"], x["workflowSlug"])
            == (1, "app", "failed", ran.slug)
        ),
    }

    assert {each: ran.all(each) for each in filters} == {
        each: ran.of(fits) for each, fits in filters.items()
    }


def test_from_is_inclusive_and_to_is_exclusive(ran: Ran) -> None:
    at = ran.rows[8]["createdAt"]

    assert ran.all(f"&from={at}") == ran.of(lambda x: x["createdAt"] >= at)
    assert ran.all(f"&to={at}") == ran.of(lambda x: x["createdAt"] < at)
    other = ran.rows[2]["createdAt"]
    assert ran.all(f"&from={at}&to={other}") == ran.of(lambda x: at <= x["createdAt"] < other)


@pytest.mark.parametrize("length", [1, 2, 3, 8, 9, 36])
def test_an_id_is_found_by_its_start(ran: Ran, length: int) -> None:
    start = ran.rows[5]["executionId"][:length]

    assert ran.all(f"&q={start}") == ran.of(lambda x: x["executionId"].startswith(start))


@pytest.mark.parametrize(
    "query",
    [
        *("status=done", "source=mail", "version=0", "version=x", "q=XYZ", "q=", "limit=501"),
        *("from=yesterday", "from=2026-01-01T00:00:00", "to=1", "keyId=", "modelId=A%20b"),
        *("workflowSlug=A%20b", "errorCode=", "version=1&version=2", "from=&to=", "httpRequestId="),
    ],
)
def test_a_filter_that_does_not_parse_is_refused_by_its_name(caller: Caller, query: str) -> None:
    answer = caller.get(f"/api/executions?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
    assert answer.json()["field"] == query.partition("=")[0]


def test_usage_has_the_same_rows(ran: Ran) -> None:
    for query in ("", "&status=failed", f"&modelId={MODEL}", f"&workflowSlug={ran.slug}"):
        page = ran.first.get(f"/api/usage?limit=500{query}").json()

        assert [row["id"] for row in page["rows"]] == [row["executionId"] for row in ran.all(query)]
        assert page["total"] == len(page["rows"])


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("by", ["workflow", "model", "key", "status"])
@pytest.mark.parametrize("bucket", ["minute", "hour", "day"])
def test_figures_are_those_of_the_executions(ran: Ran, bucket: str, by: str) -> None:
    now = time.time()
    query = f"from={moment(now - 7_200)}&to={moment(now + 60)}&bucket={bucket}&by={by}"

    rows = ran.first.get(f"/api/usage/series?{query}").json()["rows"]

    groups: dict[tuple[str, str | None], list[Any]] = {}
    for full in ran.full:
        created = datetime.fromisoformat(full["createdAt"]).timestamp()
        at = moment(created // LENGTHS[bucket] * LENGTHS[bucket]).replace("Z", ".000Z")
        keys = {
            "workflow": [full["workflowSlug"]],
            "model": full["modelIds"] or [None],
            "key": [full["keyId"]],
            "status": [full["status"]],
        }[by]
        for key in keys:
            groups.setdefault((at, key), []).append(full)
    assert {(row["at"], row["key"]): row for row in rows}.keys() == groups.keys()
    for row in rows:
        of = groups[row["at"], row["key"]]
        durations = sorted(each["durationMs"] for each in of)
        assert row["runs"] == len(of)
        assert row["failed"] == sum(each["status"] == "failed" for each in of)
        assert row["credits"] == sum(each["creditsCost"] for each in of)
        for name, fraction in (("p50Ms", 0.5), ("p95Ms", 0.95)):
            true = durations[int(fraction * (len(of) - 1))]
            # A hundredth by the sketch, and half a millisecond of the whole number.
            assert row[name] == pytest.approx(true, abs=0.01 * true + 0.5)
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)


def test_figures_of_the_last_day_by_hour_and_workflow_come_without_parameters(ran: Ran) -> None:
    rows = ran.first.get("/api/usage/series").json()["rows"]

    assert sum(row["runs"] for row in rows) == len(ran.rows)
    assert_fits(
        rows,
        [{"at": is_moment, "key": text_or_null, **dict.fromkeys(FIGURES, number)}],
    )


@pytest.mark.parametrize(
    "query",
    [
        *("bucket=week", "by=source", "from=x", "to=2026-01-01"),
        "to=2026-01-01T00:00:00Z&from=2026-01-01T00:00:00Z",
        "bucket=minute&from=2025-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
    ],
)
def test_a_range_that_does_not_fit_is_refused(caller: Caller, query: str) -> None:
    answer = caller.get(f"/api/usage/series?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
    assert answer.json()["field"] == query.partition("=")[0]


def ledger(caller: Caller, query: str = "", limit: int = 3) -> list[Any]:
    rows: list[Any] = []
    cursor = ""
    while True:
        page = caller.get(f"/api/ledger?limit={limit}{query}{cursor}").json()
        assert len(page["rows"]) <= limit
        rows += page["rows"]
        if page["nextCursor"] is None:
            return rows
        cursor = f"&cursor={page['nextCursor']}"


def test_the_ledger_adds_up_to_the_balance(ran: Ran) -> None:
    rows = ledger(ran.first)

    balance = ran.browser.get("/api/me").json()["credits"]["balance"]
    assert sum(row["credits"] for row in rows) == rows[0]["balance"] == balance
    for newer, older in zip(rows, rows[1:], strict=False):
        assert newer["balance"] == older["balance"] + newer["credits"]
    assert len({row["id"] for row in rows}) == len(rows)


def test_the_ledger_of_one_execution_takes_what_it_cost(ran: Ran) -> None:
    paid = [full for full in ran.full if full["creditsCost"]]
    assert paid

    for full in paid:
        rows = ledger(ran.first, f"&executionId={full['executionId']}", limit=2)

        assert {row["executionId"] for row in rows} == {full["executionId"]}
        assert -sum(row["credits"] for row in rows) == full["creditsCost"]
        assert {row["kind"] for row in rows} <= {"reserve", "capture", "release"}
    assert ledger(ran.first, f"&executionId={uuid.uuid4()}") == []


def test_the_ledger_is_filtered_by_kind_and_time(ran: Ran) -> None:
    rows = ledger(ran.first)
    at, other = rows[2]["at"], rows[-2]["at"]

    for kind in ("reserve", "release", "allowance", "lapse"):
        assert ledger(ran.first, f"&kind={kind}") == [row for row in rows if row["kind"] == kind]
    assert ledger(ran.first, f"&from={at}") == [row for row in rows if row["at"] >= at]
    assert ledger(ran.first, f"&from={other}&to={at}&kind=reserve") == [
        row for row in rows if other <= row["at"] < at and row["kind"] == "reserve"
    ]


def test_a_top_up_is_in_the_ledger_with_its_note(administration: Administration) -> None:
    account = administration.account("business")
    caller = administration.with_key(administration.key(account))
    admin = administration.browser(administration.account("business", role="admin"))
    body = {"credits": 70, "note": "invoice 7"}
    assert admin.post(f"/api/admin/accounts/{account}/credit", body).status_code < 300

    [row] = [row for row in ledger(caller) if row["kind"] == "top-up"]

    assert (row["credits"], row["note"]) == (70, "invoice 7")
    assert "executionId" not in row


@pytest.mark.parametrize(
    "query", ["cursor=x", "limit=201", "executionId=x", "kind=gift", "from=x", "to=1"]
)
def test_a_wrong_query_of_the_ledger_is_refused(caller: Caller, query: str) -> None:
    answer = caller.get(f"/api/ledger?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "INVALID_QUERY")
    assert answer.json()["field"] == query.partition("=")[0]
    assert sentence(answer.json()["error"])


def test_strangers_see_nothing_of_it(ran: Ran, stranger: Caller) -> None:
    first = ran.rows[0]["executionId"]

    assert stranger.get(f"/api/executions?q={first}").json()["rows"] == []
    assert ledger(stranger, f"&executionId={first}") == []
    keys = {row["key"] for row in stranger.get("/api/usage/series").json()["rows"]}
    assert ran.slug not in keys
