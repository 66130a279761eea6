import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis

from engine import keyspace
from tests.acceptance.running import RunningStack, running
from tests.gateway.factories import edge, node

LETTER = "greeting-letter"


def json_of(stack: RunningStack, *arguments: str, **environ: str) -> Any:
    done = stack.command(*arguments, "--json", **environ)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def make_account(stack: RunningStack, *more: str, tier: str = "pro") -> dict[str, Any]:
    made = json_of(stack, "account", "create", "--email", "eve@example.org", "--tier", tier, *more)
    assert isinstance(made, dict)
    return made


def test_an_account_that_was_created_is_listed(stack: RunningStack) -> None:
    made = make_account(stack, "--role", "admin", "--unapproved", tier="business")

    listed = json_of(stack, "account", "list")

    assert made in listed
    assert (made["tier"], made["role"], made["approved"]) == ("business", "admin", False)
    assert made["id"] in stack.command("account", "list").stdout


def balance_of(stack: RunningStack, account_id: str) -> int:
    rows = json_of(stack, "account", "list")
    (balance,) = [row["credits"]["balance"] for row in rows if row["id"] == account_id]
    return int(balance)


def test_credits_come_beside_the_allowance_of_a_tier(stack: RunningStack) -> None:
    bought = make_account(stack, "--credits", str(2**53 - 1), tier="enterprise")
    both = make_account(stack, "--credits", "70")

    assert bought["credits"] == {"balance": 2**53 - 1}
    assert both["credits"] == {"balance": 5_070}
    assert balance_of(stack, both["id"]) == 5_070
    assert " 5070 " in stack.command("account", "list").stdout


def test_an_account_is_not_made_without_the_credits_it_was_to_have(stack: RunningStack) -> None:
    before = json_of(stack, "account", "list")

    done = stack.command(
        *("account", "create", "--email", "eve@example.org", "--tier", "pro"),
        *("--credits", str(2**53 - 1)),
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert json_of(stack, "account", "list") == before


def test_an_account_is_topped_up_until_a_day_or_for_good(stack: RunningStack) -> None:
    account = make_account(stack)["id"]

    json_of(stack, "account", "credit", account, "30", "--expires", "2099-01-31")
    topped_up = json_of(stack, "account", "credit", account, "5")
    newest = json_of(stack, "ledger", "show", account, "--limit", "2")

    assert topped_up["credits"] == {"balance": 5_035}
    assert [entry["credits"] for entry in newest] == [5, 30]
    assert newest[0]["bucket"].startswith("t0.")
    assert newest[1]["bucket"].startswith("t4073500800000.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("5", "--expires", "2020-01-31"), "The time at which the credits expire is over"),
        ((str(2**53 - 1),), "That is more than an account can have"),
    ],
)
def test_credits_that_cannot_be_given_are_refused_in_a_sentence(
    stack: RunningStack, arguments: tuple[str, ...], sentence: str
) -> None:
    account = make_account(stack)["id"]

    done = stack.command("account", "credit", account, *arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"headrace: {sentence}\n"
    assert balance_of(stack, account) == 5_000


def test_a_charged_run_is_in_the_ledger_which_adds_up(stack: RunningStack, tmp_path: Path) -> None:
    account = make_account(stack)["id"]
    file = tmp_path / "echo.json"
    nodes = [
        node("say", "customModel", model="echo", prompt="Hello"),
        node("end", "responseOutput"),
    ]
    edges = [edge("say", "text-out", "end", "result-in")]
    file.write_text(json.dumps({"name": "Echo", "nodes": nodes, "edges": edges}))
    slug = json_of(stack, "workflow", "push", str(file), "--account", account)["slug"]

    ran = json_of(stack, "run", slug, "--account", account)
    entries = json_of(stack, "ledger", "show", account)
    table = stack.command("ledger", "show", account).stdout
    (checked,) = json_of(stack, "ledger", "check", "--account", account)

    assert (ran["result"], ran["cost"]) == ({"text": "Hello"}, 13)
    assert [(entry["kind"], entry["credits"], entry["reserved"]) for entry in entries] == [
        ("capture", 0, -13),
        ("reserve", -13, 13),
        ("allowance", 5_000, 0),
    ]
    assert [entry["balance"] for entry in entries] == [4_987, 4_987, 5_000]
    assert [entry["executionId"] for entry in entries] == [ran["executionId"]] * 2 + [None]
    assert entries[0]["node"] == 0
    assert "allowance until 20" in table
    assert checked == {"accountId": account, "entries": 3, "balance": 4_987, "faults": []}


def test_a_ledger_that_does_not_add_up_is_told_with_an_exit_code(
    redis_url: str, tmp_path: Path
) -> None:
    where = ("--data-dir", str(tmp_path))

    with running(tmp_path, "--no-demo", HEADRACE_REDIS_URL=redis_url) as stack:
        account = make_account(stack, "--credits", "40")["id"]
        make_account(stack)
        well = stack.command("ledger", "check", *where, HEADRACE_REDIS_URL=redis_url)
        with redis.Redis.from_url(redis_url) as client:
            client.hincrby(keyspace.wallet(account), "b:t0.made-up", 5)
        found = stack.command("ledger", "check", "--json")
        table = stack.command("ledger", "check")
        other = stack.command("ledger", "check", "--account", "acc_nobody")

    assert (well.returncode, well.stdout.count(" none\n")) == (0, 2)
    assert (found.returncode, table.returncode, other.returncode) == (1, 1, 1)
    faults = {row["accountId"]: row["faults"] for row in json.loads(found.stdout)}
    assert faults.pop(account) == ["bucket t0.made-up: ledger 0, wallet 5"]
    assert list(faults.values()) == [[]]
    assert "bucket t0.made-up: ledger 0, wallet 5" in table.stdout


def test_commands_go_by_the_tiers_that_the_stack_was_started_with(tmp_path: Path) -> None:
    (tmp_path / "tiers.toml").write_text("[pro]\nallowance = 7\n")

    with running(tmp_path, "--no-demo", HEADRACE_TIERS_FILE="tiers.toml") as stack:
        made = make_account(stack)
        elsewhere = stack.command("account", "list", "--json", HEADRACE_TIERS_FILE="")

    assert made["credits"] == {"balance": 7}
    assert json.loads(elsewhere.stdout)[0]["credits"] == {"balance": 5_000}


def test_models_are_listed_as_the_api_lists_them_before_the_markup(stack: RunningStack) -> None:
    def bare(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        prices = {"credits": None}
        return [row | {"pricing": [price | prices for price in row["pricing"]]} for row in rows]

    listed = json_of(stack, "model", "list")
    status, answered = stack.api("GET", "/api/models")
    table = stack.command("model", "list").stdout

    assert status == 200
    assert bare(listed) == bare(answered)
    (price,) = next(row["pricing"] for row in listed if row["internalName"] == "echo")
    assert price == {"unit": "call", "usd": 0.01, "credits": 10}
    assert "0.01 USD per call" in table


def test_an_unapproved_account_runs_nothing(stack: RunningStack) -> None:
    account = make_account(stack, "--unapproved")["id"]

    done = stack.command("run", LETTER, "--account", account)

    assert (done.returncode, done.stdout) == (1, "")
    assert "has not been approved" in done.stderr


def test_a_key_works_until_it_is_revoked(stack: RunningStack) -> None:
    account = make_account(stack)["id"]
    made = json_of(
        stack, "key", "create", "--account", account, "--preset", "Workflow Deploy", "--name", "ci"
    )
    before, who = stack.api("GET", "/api/whoami", key=made["key"])
    (listed,) = json_of(stack, "key", "list", "--account", account)

    revoked = json_of(stack, "key", "revoke", made["id"])
    after, answer = stack.api("GET", "/api/whoami", key=made["key"])

    assert (before, who["user"]["id"]) == (200, account)
    assert listed == {name: value for name, value in made.items() if name != "key"} == revoked
    assert made["capabilities"] == ["workflow:read", "workflow:run"]
    assert (after, answer) == (401, {"error": "Unauthorized"})


def test_a_webhook_is_set_for_a_key_that_may_receive(stack: RunningStack) -> None:
    account = make_account(stack)["id"]
    create = ("key", "create", "--account", account)
    made = json_of(stack, *create, "--preset", "Webhook receiver")
    other = json_of(stack, *create, "--preset", "Read-only")
    to = ("--url", "https://example.org/hook")

    saved = json_of(stack, "key", "webhook", made["id"], *to)
    own = json_of(stack, "key", "webhook", made["id"], *to, "--secret", "sixteen or more!")
    refused = stack.command("key", "webhook", other["id"], *to)
    wrong = stack.command("key", "webhook", made["id"], "--url", "https://10.0.0.1/")

    assert saved["secret"].startswith("whsec_")
    assert own.keys() == {"keyId", "url", "enabled", "createdAt"}
    assert (refused.returncode, wrong.returncode) == (1, 1)
    assert "webhook:receive" in refused.stderr


def test_a_login_link_signs_one_browser_in(stack: RunningStack) -> None:
    account = make_account(stack)["id"]

    made = json_of(stack, "login-link", "--account", account)
    printed = stack.command("login-link", "--account", account).stdout
    moved = json_of(stack, "login-link", "--account", account, HEADRACE_PUBLIC_URL="https://h.org/")

    assert made["accountId"] == account
    assert made["url"].startswith(f"{stack.url}/login?token=hr_login_")
    assert printed.startswith(f"{stack.url}/login?token=hr_login_")
    assert moved["url"].startswith("https://h.org/login?token=hr_login_")
    with httpx2.Client() as browser:
        assert browser.post(made["url"]).status_code == 303
        who = browser.get(f"{stack.url}/api/whoami").json()
        assert who["user"]["id"] == account
        assert browser.post(made["url"]).status_code == 410


def test_no_login_link_leads_to_an_account_that_is_not_there(stack: RunningStack) -> None:
    done = stack.command("login-link", "--account", "acc_nobody")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "headrace: There is no account with the id 'acc_nobody'\n"


def test_approval_and_tier_hold_for_the_very_next_request(stack: RunningStack) -> None:
    account = make_account(stack, "--unapproved", tier="business")["id"]
    key = json_of(
        stack,
        *("key", "create", "--account", account),
        *("--capability", "workflow:run", "--capability", "model:run"),
    )["key"]
    before, refused = stack.api("POST", f"/api/workflows/{LETTER}/run", {"inputs": {}}, key=key)

    approved = json_of(stack, "account", "approve", account)
    after, _ = stack.api("POST", f"/api/workflows/{LETTER}/run", {"inputs": {}}, key=key)
    moved = json_of(stack, "account", "tier", account, "free")
    last, denied = stack.api("GET", "/api/whoami", key=key)

    assert (before, refused["code"]) == (403, "ACCOUNT_NOT_APPROVED")
    assert (approved["approved"], approved["tier"]) == (True, "business")
    assert after == 404
    assert (moved["approved"], moved["tier"]) == (True, "free")
    assert (last, denied["code"]) == (403, "API_KEY_ACCESS_DENIED")


def test_a_key_above_the_ceiling_of_its_tier_is_refused_in_a_sentence(stack: RunningStack) -> None:
    account = make_account(stack)["id"]

    done = stack.command("key", "create", "--account", account, "--capability", "model:run")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "headrace: The tier 'pro' cannot grant 'model:run'\n"


def test_a_document_is_pushed_again_as_its_next_version(
    stack: RunningStack, tmp_path: Path
) -> None:
    account = make_account(stack)["id"]
    file = tmp_path / "hello.json"
    document = {"name": "Hello from a file", "nodes": [], "edges": []}
    file.write_text(json.dumps(document))

    first = json_of(stack, "workflow", "push", str(file), "--account", account)
    file.write_text(json.dumps(document | {"slug": first["slug"]}))
    second = json_of(stack, "workflow", "push", str(file), "--account", account)

    assert (first["slug"], first["version"]) == ("hello-from-a-file", 1)
    assert (second["slug"], second["version"]) == ("hello-from-a-file", 2)
    assert json_of(stack, "workflow", "list", "--account", account) == [second]


def test_a_document_that_cannot_run_is_refused_with_every_reason(
    stack: RunningStack, tmp_path: Path
) -> None:
    account = make_account(stack)["id"]
    file = tmp_path / "bad.json"
    nodes = [node("a", "nonsense"), node("b", "textBox", text="{{ x }}")]
    file.write_text(json.dumps({"name": "Bad", "nodes": nodes, "edges": []}))

    done = stack.command("workflow", "push", str(file), "--account", account)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("headrace: The workflow graph has 2 problems: a: ")
    assert "; b: " in done.stderr


def test_a_file_that_is_no_document_is_refused_in_a_sentence(
    stack: RunningStack, tmp_path: Path
) -> None:
    file = tmp_path / "bad.json"
    file.write_text("{")

    done = stack.command("workflow", "push", str(file), "--account", "acc_1")

    assert done.returncode == 1
    assert done.stderr.startswith(f"headrace: {file} is not JSON")


def test_a_run_prints_the_result_and_nothing_else(stack: RunningStack) -> None:
    done = stack.command("run", LETTER, "-i", "name=Grace")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Dear Grace,\n")


def test_a_run_says_in_json_what_the_api_says(stack: RunningStack) -> None:
    answer = json_of(stack, "run", "price-quote", "-i", "quantity=10", "-i", "unitPrice:=2")

    assert (answer["success"], answer["result"]["net"]) == (True, 20)
    assert set(answer) >= {"result", "cost", "ms", "executionId"}


def test_a_run_in_the_background_gives_the_id_to_ask_for(stack: RunningStack) -> None:
    started = json_of(stack, "run", LETTER, "--async")

    status, execution = stack.api("GET", started["pollUrl"])

    assert (status, execution["executionId"]) == (200, started["executionId"])


def test_a_watched_run_tells_each_node(stack: RunningStack) -> None:
    done = stack.command("run", LETTER, "--watch")

    assert done.returncode == 0
    assert done.stdout.startswith("Dear Ada,\n")
    assert done.stderr.splitlines() == ["form: completed", "letter: completed", "result: completed"]


def test_a_key_is_taken_from_the_environment(stack: RunningStack) -> None:
    done = stack.command("run", LETTER, HEADRACE_API_KEY="hr_live_nonsense")

    assert (done.returncode, done.stderr) == (1, "headrace: Unauthorized\n")


def test_an_account_runs_its_workflows_without_a_key(stack: RunningStack) -> None:
    account = json.loads((stack.data_dir / "demo.json").read_text())["accountId"]

    answer = json_of(stack, "run", LETTER, "-i", "name=Grace", "--account", account)

    assert answer["result"]["text"].startswith("Dear Grace,")
    status, _ = stack.api("GET", f"/api/executions/{answer['executionId']}")
    assert status == 200


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("run", "no-such-workflow"), "Workflow not found"),
        (("run", LETTER, "-i", "occasion=nothing"), "Input 'occasion': must be one of"),
        (("run", LETTER, "--account", "acc_none"), "There is no account with the id 'acc_none'"),
        (("key", "revoke", "key_none"), "There is no such API key"),
    ],
)
def test_what_is_refused_is_told_in_a_sentence(
    stack: RunningStack, arguments: tuple[str, ...], sentence: str
) -> None:
    done = stack.command(*arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"headrace: {sentence}")
    assert done.stderr.count("\n") == 1


def test_a_failed_run_exits_with_1_and_says_which_node(stack: RunningStack, tmp_path: Path) -> None:
    account = json.loads((stack.data_dir / "demo.json").read_text())["accountId"]
    file = tmp_path / "fails.json"
    nodes = [node("oops", "transform", expression="value.missing"), node("end", "responseOutput")]
    edges = [edge("oops", "value-out", "end", "result-in")]
    file.write_text(json.dumps({"name": "Fails", "nodes": nodes, "edges": edges}))
    json_of(stack, "workflow", "push", str(file), "--account", account)

    done = stack.command("run", "fails")

    assert (done.returncode, done.stdout) == (1, "")
    assert "failed: node 'oops': " in done.stderr


def test_the_doctor_finds_a_healthy_stack_healthy(stack: RunningStack) -> None:
    report = json_of(stack, "doctor")

    assert report["ok"]
    assert [check["name"] for check in report["checks"]] == [
        "redis",
        "append-only file",
        "eviction",
        "clock",
        "workers",
        "secret key",
        "gateway",
        "file descriptors",
    ]


def test_the_doctor_names_what_is_wrong_with_a_redis_of_ones_own(
    tmp_path: Path, redis_url: str
) -> None:
    with running(tmp_path, "--no-demo", HEADRACE_REDIS_URL=redis_url) as stack:
        done = stack.command("doctor")

        assert done.returncode == 1
        assert "WRONG  append-only file: off" in done.stdout
        assert "CONFIG SET appendonly yes" in done.stdout


def test_a_key_runs_a_workflow_where_only_redis_can_be_reached(
    stack: RunningStack, tmp_path: Path
) -> None:
    elsewhere = ("--data-dir", str(tmp_path))

    done = stack.command(
        "run", LETTER, "--key", stack.key, *elsewhere, HEADRACE_REDIS_URL=stack.redis_url
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Dear Ada,\n")


def test_a_key_without_the_capability_is_refused_there_too(
    stack: RunningStack, tmp_path: Path
) -> None:
    account = json.loads((stack.data_dir / "demo.json").read_text())["accountId"]
    key = json_of(stack, "key", "create", "--account", account, "--preset", "Read-only")["key"]
    elsewhere = ("--data-dir", str(tmp_path), "--key", key)

    over_http = stack.command("run", LETTER, "--key", key)
    by_store = stack.command("run", LETTER, *elsewhere, HEADRACE_REDIS_URL=stack.redis_url)

    assert over_http.stderr == by_store.stderr
    assert by_store.stderr == "headrace: This key lacks the capability 'workflow:run'\n"
