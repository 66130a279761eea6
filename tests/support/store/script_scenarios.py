"""An effective call of each script of engine/lua."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.store.redis.client import Client
from engine.store.redis.scripts import SCRIPTS
from tests.support.store.script_runner import with_keys

NOW = 1_000_000
Value = str | bytes | int

ASSET = ("HSET", "asset", "account", "acc", "source", "upload", "created", NOW, "expires", NOW)
DUE_ASSET = ("ZADD", "assets_due", NOW, "a")
PRO = ("HSET", "accounts", "acc", "pro|record")

EXECUTION: tuple[Value, ...] = (
    *("HSET", "x", "status", "processing", "version", "1", "statuses", "pprt", "created", NOW),
    *("fence", 1, "holders", 1, "notifier", "b", "n2", f"1:1:{NOW}:0", "n3", f"0:2:{NOW}:1"),
)
HELD = ("HSET", "held", "acc/x", "1:token")
WEBHOOK = (
    "HSET",
    "webhook",
    "url",
    "u",
    "enabled",
    "1",
    "secret",
    "s",
    "created",
    NOW,
    "reason",
    "",
)
DELIVERY: tuple[Value, ...] = (
    *("HSET", "delivery", "status", "pending", "key", "key_1", "url", "u", "event", "webhook.test"),
    *("created", NOW, "next", NOW),
)
DUE = ("ZADD", "due", NOW, "acc/x")
OLD_WORKFLOW: tuple[Value, ...] = (
    *("HSET", "workflow", "version", 3, "state", "live", "created", NOW),
    *("d1", b"one", "r1", 1, "d2", b"two", "d3", b"three"),
)
OLD_NAMES = ("HSET", "node_names", "v1", "o", "v2", "o", "v3", "o", "co", 3, "no", b"n")
RAN = ("HSET", "workflow", "runs", f"0:1|{NOW}:x:processing:0")
STORED = ("HSET", "documents", "bytes", 12, "workflows", 1)
TERMS = "50:0:86400000"
CHARGED = ("HSET", "x", "terms", TERMS, "reserved", "m0=9,t0.a=5", "markup", "1", "trials", "tried")
WALLET = ("HSET", "wallet", "given", 50, "ends", 0, "b:m0", 41, "b:t0.a", 5, "reserved", 14)
ACT = (60_000, "command", "account.change", "acc", b"null", b'{"credits":1}')
"""An act of the audit log, as arguments."""
NO_ACT = ("", "", "", "", "", "")


@dataclass(frozen=True)
class Scenario:
    """Effective call of a script on keys that the seed has written."""

    seed: Sequence[Sequence[Value]]
    names: Mapping[str, Any]
    again: object
    """Answer of a second call; None: that of the first."""

    def call(self, client: Client, name: str) -> asyncio.Future[Any]:
        """Call the script of that name; keys by `with_keys`, at the time NOW."""
        script = SCRIPTS[name]
        takes_now = any(each.name == "now" for each in script.names.arguments)
        names = ({"now": NOW} if takes_now else {}) | self.names
        return client.call(script, **with_keys(script, names))


def scenario(*seed: Sequence[Value], again: object = None, **names: Any) -> Scenario:
    """Return the scenario of a call by names."""
    return Scenario(seed, names, again)


SCENARIOS = {
    "add_asset": scenario(
        PRO,
        asset_id="a",
        account="acc",
        source="upload",
        upload_ms=60_000,
        limits=("free", 9, "pro", 10),
    ),
    "complete_asset": scenario(
        (*ASSET, "state", "pending"),
        DUE_ASSET,
        PRO,
        asset_id="a",
        keep_ms=60_000,
        execution_id="x",
        bytes=5,
        fields=("type", "image/png"),
        limits=("free", 1, "pro", 10),
    ),
    "refer_asset": scenario(
        (*ASSET, "state", "stored"),
        DUE_ASSET,
        asset_id="a",
        account="acc",
        reference="x",
        least_ms=60_000,
    ),
    "review_asset": scenario(
        (*ASSET, "state", "stored"),
        DUE_ASSET,
        ("SADD", "asset_references", "x"),
        records=("x",),
        asset_id="a",
        extension_ms=60_000,
        removal_ms=5_000,
        references=("x",),
        again=b"early",
    ),
    "delete_asset": scenario(
        (*ASSET, "state", "stored", "bytes", 5),
        DUE_ASSET,
        ("ZADD", "account_assets", 0, f"acc|{NOW:013d}.a"),
        ("HSET", "media_bytes", "acc", 7),
        asset_id="a",
        account="acc",
        removal_ms=5_000,
        again=0,
    ),
    "read_asset": scenario((*ASSET, "state", "stored"), account="acc"),
    "forget_asset": scenario(
        (*ASSET, "state", "hidden", "bytes", 5),
        DUE_ASSET,
        ("SADD", "asset_references", "x"),
        ("HSET", "media_bytes", "acc", 7),
        asset_id="a",
        again=0,
    ),
    "add_delivery": scenario(
        reference="acc/d",
        delivery_id="d",
        api_key="key_1",
        url="u",
        event="webhook.test",
        body=b"{}",
        keep_ms=60_000,
        resend_ms=2_000,
        format=2,
    ),
    "claim_delivery": scenario(
        DELIVERY,
        WEBHOOK,
        reference="acc/d",
        token="token",
        lease_ms=20_000,
        url="u",
        delivery_format=2,
        webhook_format=2,
    ),
    "settle_delivery": scenario(
        (*DELIVERY, "fence", 1, "token", "t"),
        WEBHOOK,
        reference="acc/d",
        fence=1,
        outcome="pending",
        delay_ms=5_000,
        attempt=b"attempt",
        most_attempts=16,
        most_failing_ms=60_000,
        failing_reason="why",
    ),
    "redact_audit": scenario(
        ("XADD", "audit", "1-0", "before", "null", "after", '{"email":"a@example.com"}'),
        ("XADD", "audit", "2-0", "before", "null", "after", "{}"),
        redactions=("1-0", "null", '{"email":null}'),
        again=0,
    ),
    "remove_account": scenario(PRO, account="acc", access_changes="access", act=ACT, again=0),
    "restore_archived_delivery": scenario(
        delivery_id="d",
        created_at=NOW,
        keep_ms=60_000,
        fields=("status", "failed", "created", NOW),
        again=0,
    ),
    "remove_ended_delivery": scenario(
        (*DELIVERY, "status", "failed", "fence", 2),
        ("ZADD", "archived_deliveries", NOW, "acc/d/2"),
        ("ZADD", "webhook_deliveries", NOW, "d"),
        member="acc/d/2",
        delivery_id="d",
        fence="2",
        again=0,
    ),
    "read_ledger": scenario(
        ("XADD", "ledger", "5-0", "kind", "top-up"),
        ("HSET", "wallet", "b:m0", 5, "c:m0", 3, "c", 0),
        most=10,
    ),
    "mark_ledger_archived": scenario(("HSET", "wallet", "archived", "5-3"), entry="5-10", again=0),
    "redeliver": scenario(
        (*DELIVERY, "status", "failed"), WEBHOOK, reference="acc/d", resend_ms=2_000
    ),
    "take_provider_turn": scenario(
        ("ZADD", "callers", NOW + 5_000, "one"),
        ("HSET", "calls", "one|a", "acc|5|000000000001|900000|9"),
        *(("ZADD", key, 0, "one|a") for key in ("running", "granted")),
        caller="one",
        lease_ms=10_000,
        provider="p",
        requests=60,
        tokens=6_000,
        concurrency=2,
        keep_ms=60_000,
        burst_ms=500,
        trust_ms=0,
        reports=[
            *("done", "a", "acc", 30, 0),
            *("ask", "b", "acc", 7, 0),
            *("ask", "c", "acc", 7, 0),
        ],
    ),
    "lease_outbound": scenario(
        ("HSET", "accounts", "acc", "pro|record"),
        outbound="calls",
        account="acc",
        host="host",
        window_ms=60_000,
        calls=4,
        bytes=100,
        limits=["free", 1, 1, 1, "pro", 50, 50, 1_000],
    ),
    "record_change": scenario(
        ("ZADD", "changes", 5, "workflow:old", NOW - 5, "workflow:echo"),
        change="workflow:echo",
        keep_ms=60_000,
        most=10,
    ),
    "read_account_events": scenario(
        ("ZADD", "executions", NOW - 9, "x"),
        ("ZADD", "finished", NOW - 7, "other/y", NOW - 7, "acc/x"),
        ("ZADD", "changes", NOW - 5, "workflow:echo"),
        ("XADD", "ledger", f"{NOW - 3}-0", "kind", "capture"),
        since=NOW - 9,
        prefix="acc/",
        most=10,
        most_examined=1_000,
    ),
    "seal_secret": scenario(
        WEBHOOK, record="webhook", field="secret", stored="s", sealed=b"\x01sealed", again=b"other"
    ),
    "delete_secret": scenario(
        ("HSET", "secrets", "A", "sealed", "A.created", NOW, "A.updated", NOW),
        name="A",
        act=ACT,
        again=0,
    ),
    "save_secret": scenario(
        name="TOKEN", sealed=b"\x01sealed", most=100, hosts="a.example *.b.example", act=ACT
    ),
    "save_item_answers": scenario(
        EXECUTION,
        HELD,
        execution="x",
        reference="acc/x",
        claim="1:token",
        node=2,
        batch=1,
        answers=b"what was answered",
        has_object="1",
    ),
    "save_job": scenario(
        EXECUTION,
        HELD,
        execution="x",
        reference="acc/x",
        claim="1:token",
        node=2,
        item=3,
        job=b"job at the provider",
    ),
    "save_webhook": scenario(
        ("HSET", "account_api_keys", "key_1", "digest"),
        WEBHOOK,
        api_key="key_1",
        url="u",
        enabled="1",
        secret="another",
        new_secret="made",
        overlap_ms=60_000,
        format=2,
        act=NO_ACT,
    ),
    "accept_execution": scenario(
        ("HSET", "workflow", "version", "3", "state", "live"),
        execution="x",
        first_call="first",
        wallet="wallet",
        ledger="ledger",
        id="x",
        reference="acc/x",
        version="3",
        statuses="pps",
        resend_ms=5_000,
        most_active=2,
        body_fingerprint="f",
        first_call_ms=60_000,
        credits=7,
        terms=TERMS,
        trials="tried=r3,timed=d1000",
        fields=("slug", "echo", "inputs", b"\x80"),
    ),
    "advance_execution": scenario(
        EXECUTION,
        HELD,
        ("SADD", "active", "x"),
        CHARGED,
        WALLET,
        execution="x",
        reference="acc/x",
        execution_id="x",
        claim="1:token",
        step=1,
        settled="0c2c",
        claimed="1,3",
        rows=b"rows",
        charges="0=8:8000:,2=0:0:tried",
        reservations="1=20",
        has_objects="1",
        shares_work="1",
        again=[b"ok", b"processing", b"", str(NOW).encode()],
    ),
    "authorize_key": scenario(
        ("HSET", "api_keys", "digest", "acc|record"),
        ("HSET", "accounts", "acc", "record"),
        digest="digest",
    ),
    "authorize_session": scenario(
        ("SET", "session", "acc", "PX", 60_000),
        ("HSET", "accounts", "acc", "record"),
        renewal_ms=30_000,
    ),
    "beat_worker": scenario(worker="w1", lease_ms=3000, names="A_KEY B_KEY"),
    "list_worker_variables": scenario(
        ("ZADD", "workers", NOW, "dead", NOW + 1, "w1", NOW + 2, "w2"),
        ("HSET", "variables", "w1", "A_KEY", "dead", "B_KEY"),
        again=[b"A_KEY", b""],
    ),
    "raise_schema": scenario(("HSET", "installation", "schema", 1), schema=2),
    "mark_installation": scenario(ids="a", schema=1, partitions=16, again=0),
    "remove_dead_worker": scenario(("ZADD", "workers", NOW - 1, "w1"), worker="w1", again=0),
    "cancel_execution": scenario(
        (*EXECUTION, "holders", 0),
        HELD,
        CHARGED,
        WALLET,
        RAN,
        execution="x",
        reference="acc/x",
        execution_id="x",
        cancels="cancels",
        again=[b"ended", b"cancelled"],
    ),
    "claim_execution": scenario(
        (*EXECUTION, "holders", 0),
        DUE,
        execution="x",
        reference="acc/x",
        token="token",
        worker="w1",
    ),
    "count_key_call": scenario(
        ("HSET", "api_keys", "digest", "acc|record"),
        ("HSET", "accounts", "acc", "pro|record"),
        digest="digest",
        bucket="runs",
        window_ms=60_000,
        cost=1,
        limits=("free", 1, "pro", 5),
    ),
    "count_session_call": scenario(
        ("SET", "session", "acc", "PX", 60_000),
        ("HSET", "accounts", "acc", "pro|record"),
        renewal_ms=30_000,
        bucket="runs",
        window_ms=60_000,
        cost=1,
        limits=("pro", 5),
    ),
    "delete_workflow": scenario(
        ("HSET", "workflow", "version", "1", "state", "live", "d1", b"document"),
        ("SADD", "account_workflows", "echo"),
        slug="echo",
        reference="acc/echo",
        again=0,
    ),
    "finish_execution": scenario(
        ("HSET", "x", "status", "processing", "slug", "echo", "version", 3, "inputs", "i"),
        ("HSET", "x", "created", NOW, "statuses", "pps", "notifier", "b"),
        ("SADD", "active", "x"),
        DUE,
        RAN,
        execution="x",
        reference="acc/x",
        execution_id="x",
        token="token",
        slug="echo",
        version=3,
        inputs="i",
        statuses="ccs",
        rows=b"rows",
        result=b"result",
        elapsed_ms=5,
        plan="digest",
        format=2,
    ),
    "remove_ended_execution": scenario(
        EXECUTION,
        ("ZADD", "finished", NOW, "acc/x"),
        ("ZADD", "all", NOW, "x"),
        execution="x",
        executions="all",
        delivery="d",
        newest_forgotten="forgotten",
        execution_id="x",
        reference="acc/x",
        ended_before_ms=NOW + 1,
        again=0,
    ),
    "restore_archived_execution": scenario(
        execution="x",
        executions="all",
        execution_id="x",
        reference="acc/x",
        created=NOW - 9,
        fields=["status", "failed", "created", NOW - 9],
        entries=["1-0", 2, "begun", "pp", "2-0", 4, "ended", "failed", "left", ""],
        again=0,
    ),
    "release_execution": scenario(
        EXECUTION, HELD, execution="x", reference="acc/x", is_lost="1", again=0
    ),
    "leave_unknown": scenario(
        (*EXECUTION, "w1", "w", "started", NOW),
        HELD,
        execution="x",
        reference="acc/x",
        claim="1:token",
        part="the node type 'later'",
        wait_ms=60_000,
        pause_ms=0,
        again=0,
    ),
    "reschedule_orphan": scenario(EXECUTION, execution="x", reference="acc/x", fence="1", again=0),
    "delay_message": scenario(delayed="due", delay_ms=1_000, message=b"message"),
    "take_message": scenario(
        ("RPUSH", "queue", b"first", b"second"),
        ("ZADD", "due", NOW, b"due", NOW + 1, b"later"),
        delayed="due",
    ),
    "list_dead_workers": scenario(("ZADD", "workers", NOW - 1, "w1")),
    "list_executions": scenario(
        ("ZADD", "all", NOW, "x", NOW, "y", NOW + 1, "z"), listed="all", at=NOW, id="y", most=2
    ),
    "match_executions": scenario(
        EXECUTION,
        ("HSET", "y", "status", "failed", "slug", "echo", "models", "a,b"),
        executions=["x", "y", "z"],
        conditions=["status", "one_of", "failed", "", "models", "has", "b", "owner"],
    ),
    "watch_execution": scenario(EXECUTION, execution="x", channel="notifier", first=1, most=10),
    "publish_progress": scenario(
        (*EXECUTION, "events", 3, "watchers", "b,"),
        HELD,
        execution="x",
        reference="acc/x",
        claim="1:token",
        batch=4,
        execution_id="x",
        most=10,
        most_bytes=6,
        keep_ms=60_000,
        updates=[*(2, 0, 5, b"text"), *(2, 0, "", "0.5")],
    ),
    "record_key_use": scenario(("HSET", "account_api_keys", "key_1", "digest"), api_key="key_1"),
    "replace_key": scenario(
        ("HSET", "account_api_keys", "key_1", "digest"),
        ("HSET", "api_keys", "digest", b"acc|old"),
        api_key="key_1",
        digest="digest",
        record=b"acc|old",
        new_record=b"acc,1000001|new",
        expires_at=NOW + 1,
        account="acc",
        access_changes="access",
    ),
    "promote_due": scenario(DUE, most=10, repeat_ms=5000, again=[str(NOW + 5_000).encode(), []]),
    "record_answer": scenario(
        ("HSET", "first", "execution", "x"), idempotency="first", answer="accepted"
    ),
    "redeem_login": scenario(
        ("SET", "login", "acc", "PX", 60_000),
        ("HSET", "accounts", "acc", "record"),
        ("ZADD", "account_sessions", NOW - 1, "ses_old"),
        account="acc",
        session_ms=60_000,
        session_id="ses_1",
        digest="digest",
        user_agent="curl",
        address="192.0.2.7",
    ),
    "record_session_use": scenario(
        ("SET", "session", "acc", "PX", 60_000),
        account="acc",
        session_id="ses_1",
        digest="digest",
        session_ms=90_000,
        must_extend="1",
    ),
    "end_session": scenario(
        ("SET", "session", "acc", "PX", 60_000),
        ("HSET", "session_record", "account", "acc"),
        ("ZADD", "account_sessions", NOW, "ses_1"),
        session_id="ses_1",
        account="acc",
        access_changes="access",
        act=ACT,
        again=0,
    ),
    "replace_account": scenario(
        ("HSET", "accounts", "acc", b"admin|old", "other", b"admin|record"),
        account="acc",
        record=b"admin|old",
        new_record=b"pro|new",
        guaranteed_until=0,
        access_changes="access",
        act=ACT,
    ),
    "guarantee_admin": scenario(
        ("HSET", "accounts", "acc", b"admin|record"),
        ("ZADD", "admin_guarantees", NOW, "old"),
        token="token",
        guarantee_ms=60_000,
    ),
    "create_account": scenario(account="acc", record=b"pro|record", act=ACT),
    "create_key": scenario(api_key="key_1", digest="digest", record=b"acc|record", act=ACT),
    "revoke_key": scenario(
        ("HSET", "account_api_keys", "key_1", "digest"),
        ("HSET", "api_keys", "digest", b"acc|record"),
        ("HSET", "key_uses", "key_1", NOW),
        WEBHOOK,
        api_key="key_1",
        digest="digest",
        webhook_ms=60_000,
        account="acc",
        access_changes="access",
        act=ACT,
        again=0,
    ),
    "create_login": scenario(
        ("HSET", "accounts", "acc", "record"), account="acc", login_ms=60_000, act=ACT
    ),
    "put_snapshot": scenario(
        ("SET", "folded", "3", "PX", 60_000),
        ("HSET", "snapshots", "p1", b"1|4|before"),
        process="p1",
        number=5,
        left_out=3,
        samples=b"samples",
        folded_ms=60_000,
    ),
    "retire_snapshots": scenario(
        ("HSET", "snapshots", "retired", b"sum", "p1", b"1|4|one", "p2", b"two"),
        folded=("folded",),
        sum=b"sum",
        new_sum=b"new sum",
        folded_ms=60_000,
        processes=("p1", 4),
        again=0,
    ),
    "save_model": scenario(
        ("HSET", "models", "version:own", 4, "created:own", NOW - 1, "operation:own", "before"),
        ("HSET", "models", "at:own:2", NOW - 3, "manifest:own:2", b"old", "generation", 6),
        model="own",
        operation="operation",
        expected="4",
        manifest=b"manifest",
        most_former=2,
        changes="changes",
        most_models=200,
        act=ACT,
    ),
    "delete_model": scenario(
        ("HSET", "models", "version:own", 4, "created:own", NOW, "operation:own", "before"),
        model="own",
        operation="operation",
        changes="changes",
        act=ACT,
    ),
    "save_workflow": scenario(
        OLD_WORKFLOW,
        OLD_NAMES,
        STORED,
        ("HSET", "accounts", "acc", "pro|record"),
        ("HSET", "workflow", "draft", b"draft", "draft_revision", 7),
        slug="echo",
        operation="operation",
        expected="3",
        document=b"document",
        account="acc",
        reference="acc/echo",
        names_digest="two",
        names=b"names",
        most_versions=2,
        facts=b"facts",
        draft_revision=7,
        summary=b"summary",
        limits=("free", "1:1", "pro", "1:42"),
    ),
    "revise_version": scenario(
        OLD_WORKFLOW,
        STORED,
        ("HSET", "accounts", "acc", "pro|record"),
        operation="operation",
        expected=3,
        document=b"document",
        account="acc",
        slug="echo",
        summary=b"summary",
        limits=("free", "1:1", "pro", "1:22"),
    ),
    "restore_workflow": scenario(
        (
            "HSET",
            "workflow",
            "version",
            "1",
            "state",
            "deleted",
            "deleted",
            NOW,
            "updated",
            NOW,
        ),
        slug="echo",
        reference="acc/echo",
        undo_ms=60_000,
        again=b"living",
    ),
    "save_draft": scenario(
        ("HSET", "workflow", "state", "live"),
        STORED,
        ("HSET", "accounts", "acc", "pro|record"),
        operation="operation",
        expected=",0,",
        document=b"document",
        account="acc",
        slug="echo",
        summary=b"summary",
        limits=("free", "1:1", "pro", "1:20"),
    ),
    "request_cover": scenario(OLD_WORKFLOW, digest="ab12", quiet_ms=60_000, again=[b"", 0]),
    "record_cover": scenario(
        OLD_WORKFLOW,
        ("HSET", "workflow", "cover", "ab12|5|"),
        digest="ab12",
        asset="asset",
        quiet_ms=0,
    ),
    "discard_draft": scenario(
        ("HSET", "workflow", "state", "live", "version", 1, "draft", b"x", "draft_revision", 3),
        STORED,
        expected=",3,",
        again=[b"none"],
    ),
    "begin_public_run": scenario(("HSET", "workflow", "state", "live", "version", 2), version=2),
    "count_public_run": scenario(("HSET", "workflow", "state", "live"), RAN),
    "review_workflow": scenario(
        OLD_WORKFLOW,
        OLD_NAMES,
        STORED,
        ("ZADD", "workflows_due", NOW, "acc/echo"),
        reference="acc/echo",
        first_begun=3,
        most_versions=2,
        undo_ms=60_000,
        names_ms=5_000,
        most_names=10,
        most_removed=5,
        again_ms=1_000,
        public_run_ms=60_000,
        begun=0,
    ),
    "send_hints": scenario(queue="hints", hints=["walk|acc/x"]),
    "read_wallet": scenario(
        ("HSET", "wallet", "given", 20, "ends", 1, "b:m1", 4, "b:t2.a", 5, "b:t0.b", 6), terms=TERMS
    ),
    "top_up": scenario(
        WALLET, operation="operation", credits=30, lapses_at=NOW + 1, terms=TERMS, act=ACT
    ),
    "take_lead": scenario(worker="w1", lease_ms=60_000),
    "shorten_leases": scenario(
        ("ZADD", "workers", NOW + 9_000, "w1", NOW + 1_000, "w2"), lease_ms=3_000
    ),
}
