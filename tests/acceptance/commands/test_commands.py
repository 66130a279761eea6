import json
from pathlib import Path

import httpx2
import pytest

from tests.support.acceptance.commands import json_of, make_account
from tests.support.acceptance.running_stack import RunningStack
from tests.support.gateway.documents import edge, node

LETTER = "greeting-letter"


def test_an_account_that_was_created_is_listed(stack: RunningStack) -> None:
    made = make_account(stack, "--role", "admin", "--unapproved", tier="business")

    listed = json_of(stack, "account", "list")

    assert made in listed
    assert (made["tier"], made["role"], made["approved"]) == ("business", "admin", False)
    assert made["id"] in stack.command("account", "list").stdout


def test_an_unapproved_account_runs_nothing(stack: RunningStack) -> None:
    account = make_account(stack, "--unapproved")["id"]

    done = stack.command("run", LETTER, "--account", account)

    assert (done.returncode, done.stdout) == (1, "")
    assert "has not been approved" in done.stderr


def test_sessions_are_listed_and_ended(stack: RunningStack) -> None:
    account = make_account(stack)["id"]
    link = json_of(stack, "login-link", "--account", account)["url"]
    with httpx2.Client(headers={"user-agent": "curl/8"}, trust_env=False, timeout=30) as browser:
        browser.get(link)
        before = browser.get(f"{stack.url}/api/me").status_code
        (row,) = json_of(stack, "session", "list", "--account", account)
        every = stack.command("session", "list").stdout

        ended = json_of(stack, "session", "end", row["id"])

        after = browser.get(f"{stack.url}/api/me").status_code
    assert (before, after) == (200, 401)
    assert (row["accountId"], row["userAgent"], row["address"]) == (account, "curl/8", "127.0.0.1")
    assert ended == row
    assert row["id"] in every
    assert json_of(stack, "session", "list", "--account", account) == []
    again = stack.command("session", "end", row["id"])
    assert (again.returncode, again.stdout) == (1, "")


def test_administrative_commands_are_in_the_audit_log(stack: RunningStack) -> None:
    account = make_account(stack, "--unapproved")["id"]
    json_of(stack, "account", "approve", account)
    json_of(stack, "account", "tier", account, "business")
    json_of(stack, "account", "role", account, "admin")
    json_of(stack, "account", "role", account, "user")
    json_of(stack, "account", "credit", account, "70", "--note", "for May")
    key = json_of(stack, "key", "create", "--account", account, "--preset", "Read-only")
    json_of(stack, "key", "revoke", key["id"])
    json_of(stack, "login-link", "--account", account)

    log = json_of(stack, "audit", "--limit", "200")

    own = [entry for entry in log if account in str(entry)][::-1]
    assert {entry["by"] for entry in own} == {"command"}
    assert [(entry["action"], entry["after"]) for entry in own if "key" not in entry["action"]] == [
        ("account.create", own[0]["after"]),
        ("account.change", {"approved": True}),
        ("account.change", {"tier": "business"}),
        ("account.change", {"role": "admin"}),
        ("account.change", {"role": "user"}),
        ("account.credit", own[5]["after"]),
        ("account.login-link", None),
    ]
    assert own[5]["after"]["note"] == "for May"
    assert [entry["action"] for entry in own if entry["subject"] == key["id"]] == [
        "key.create",
        "key.revoke",
    ]
    assert key["key"][8:] not in str(log)
    assert account in stack.command("audit").stdout


def test_the_last_admin_keeps_the_role(stack: RunningStack) -> None:
    admins = [each["id"] for each in json_of(stack, "account", "list") if each["role"] == "admin"]
    for other in admins[1:]:
        json_of(stack, "account", "role", other, "user")

    refused = stack.command("account", "role", admins[0], "user")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert "last admin" in refused.stderr
    listed = json_of(stack, "account", "list")
    assert [each["id"] for each in listed if each["role"] == "admin"] == admins[:1]
    for other in admins[1:]:
        json_of(stack, "account", "role", other, "admin")


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


def test_a_key_expires_at_the_beginning_of_a_day(stack: RunningStack) -> None:
    account = json_of(stack, "account", "list")[0]["id"]
    create = ("key", "create", "--account", account, "--preset", "Read-only", "--expires")

    made = json_of(stack, *create, "2100-01-31")
    late = stack.command(*create, "2001-01-31")

    assert made["expiresAt"] == "2100-01-31T00:00:00.000Z"
    assert (late.returncode, late.stdout) == (1, "")
    assert "expires" in late.stderr


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
    with httpx2.Client(timeout=30) as browser:
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
    (listed,) = json_of(stack, "workflow", "list", "--account", account)
    assert listed == {name: second[name] for name in listed}
    assert second["into"] == "version 2"


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


def test_a_run_tells_which_inputs_were_ignored(stack: RunningStack) -> None:
    warning = "The input 'nmae' was ignored: there is no field of that name"

    done = stack.command("run", LETTER, "-i", "nmae=Grace")
    begun = stack.command("run", LETTER, "-i", "nmae=Grace", "--async", "--json")

    assert (done.returncode, done.stderr) == (0, f"headrace: {warning}\n")
    assert begun.stderr == done.stderr
    assert json.loads(begun.stdout)["warnings"] == [warning]


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
    assert " failed at the node 'oops' (" in done.stderr
    assert done.stderr.count("\n") == 1


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
