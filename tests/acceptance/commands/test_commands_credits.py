import json
from pathlib import Path
from typing import Any

import pytest
import redis

from engine.store.redis import keyspace
from tests.support.acceptance.commands import json_of, make_account
from tests.support.acceptance.running_stack import BARE, RunningStack, running
from tests.support.gateway.documents import edge, node


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
    assert entries[0]["node"] == "say"
    assert "allowance until 20" in table
    assert checked == {"accountId": account, "entries": 3, "balance": 4_987, "faults": []}


def test_a_ledger_that_does_not_add_up_is_told_with_an_exit_code(
    unmarked_redis_url: str, tmp_path: Path
) -> None:
    where = ("--data-dir", str(tmp_path))

    with running(tmp_path, *BARE, HEADRACE_REDIS_URL=unmarked_redis_url) as stack:
        account = make_account(stack, "--credits", "40")["id"]
        make_account(stack)
        well = stack.command("ledger", "check", *where, HEADRACE_REDIS_URL=unmarked_redis_url)
        with redis.Redis.from_url(unmarked_redis_url) as client:
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

    with running(tmp_path, *BARE, HEADRACE_TIERS_FILE="tiers.toml") as stack:
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
