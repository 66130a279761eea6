"""An effective call of each script of engine/lua."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
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
    """Effective call. `answer` is the second call's, None: like the first.

    A key that `names` lacks has its name in the header of the script.
    """

    seed: tuple[tuple[Value, ...], ...]
    names: Mapping[str, Any] = field(default_factory=dict)
    answer: object = None

    def call(self, client: Client, name: str) -> asyncio.Future[Any]:
        """Call the script of that name as this scenario does."""
        return client.call(SCRIPTS[name], **with_keys(SCRIPTS[name], self.names))


def named(**values: Any) -> Mapping[str, Any]:
    """Return keys and arguments by name; a key that is left out has its name as in the header."""
    return values


SCENARIOS = {
    "add_asset": Scenario(
        seed=(PRO,),
        names=named(
            now=NOW,
            asset_id="a",
            account="acc",
            source="upload",
            upload_ms=60_000,
            limits=("free", 9, "pro", 10),
        ),
    ),
    "complete_asset": Scenario(
        seed=((*ASSET, "state", "pending"), DUE_ASSET, PRO),
        names=named(
            now=NOW,
            asset_id="a",
            keep_ms=60_000,
            execution_id="x",
            bytes=5,
            fields=("type", "image/png"),
            limits=("free", 1, "pro", 10),
        ),
    ),
    "refer_asset": Scenario(
        seed=((*ASSET, "state", "stored"), DUE_ASSET),
        names=named(now=NOW, asset_id="a", account="acc", reference="x", least_ms=60_000),
    ),
    "review_asset": Scenario(
        seed=((*ASSET, "state", "stored"), DUE_ASSET, ("SADD", "asset_references", "x")),
        names=named(
            records=("x",),
            now=NOW,
            asset_id="a",
            extension_ms=60_000,
            removal_ms=5_000,
            references=("x",),
        ),
        answer=b"early",
    ),
    "delete_asset": Scenario(
        seed=(
            *((*ASSET, "state", "stored", "bytes", 5), DUE_ASSET),
            *(
                ("ZADD", "account_assets", 0, f"acc|{NOW:013d}.a"),
                ("HSET", "media_bytes", "acc", 7),
            ),
        ),
        names=named(now=NOW, asset_id="a", account="acc", removal_ms=5_000),
        answer=0,
    ),
    "read_asset": Scenario(seed=((*ASSET, "state", "stored"),), names=named(account="acc")),
    "forget_asset": Scenario(
        seed=(
            *(
                (*ASSET, "state", "hidden", "bytes", 5),
                DUE_ASSET,
                ("SADD", "asset_references", "x"),
            ),
            ("HSET", "media_bytes", "acc", 7),
        ),
        names=named(asset_id="a"),
        answer=0,
    ),
    "add_delivery": Scenario(
        seed=(),
        names=named(
            now=NOW,
            reference="acc/d",
            delivery_id="d",
            api_key="key_1",
            url="u",
            event="webhook.test",
            body=b"{}",
            keep_ms=60_000,
            resend_ms=2_000,
        ),
    ),
    "claim_delivery": Scenario(
        seed=(DELIVERY, WEBHOOK),
        names=named(now=NOW, reference="acc/d", token="token", lease_ms=20_000, url="u"),
    ),
    "settle_delivery": Scenario(
        seed=((*DELIVERY, "fence", 1, "token", "t"), WEBHOOK),
        names=named(
            now=NOW,
            reference="acc/d",
            fence=1,
            outcome="pending",
            delay_ms=5_000,
            attempt=b"attempt",
            most_attempts=16,
            most_failing_ms=60_000,
            failing_reason="why",
        ),
    ),
    "redact_audit": Scenario(
        seed=(
            ("XADD", "audit", "1-0", "before", "null", "after", '{"email":"a@example.com"}'),
            ("XADD", "audit", "2-0", "before", "null", "after", "{}"),
        ),
        names=named(redactions=("1-0", "null", '{"email":null}')),
        answer=0,
    ),
    "remove_account": Scenario(
        seed=(PRO,), names=named(now=NOW, account="acc", access_changes="access", act=ACT), answer=0
    ),
    "recall_delivery": Scenario(
        seed=(),
        names=named(
            delivery_id="d",
            created_at=NOW,
            keep_ms=60_000,
            fields=("status", "failed", "created", NOW),
        ),
        answer=0,
    ),
    "forget_delivery": Scenario(
        seed=(
            (*DELIVERY, "status", "failed", "fence", 2),
            *(
                ("ZADD", "archived_deliveries", NOW, "acc/d/2"),
                ("ZADD", "webhook_deliveries", NOW, "d"),
            ),
        ),
        names=named(member="acc/d/2", delivery_id="d", fence="2"),
        answer=0,
    ),
    "read_ledger": Scenario(
        seed=(
            ("XADD", "ledger", "5-0", "kind", "top-up"),
            ("HSET", "wallet", "b:m0", 5, "c:m0", 3, "c", 0),
        ),
        names=named(most=10),
    ),
    "mark_ledger_archived": Scenario(
        seed=(("HSET", "wallet", "archived", "5-3"),), names=named(entry="5-10"), answer=0
    ),
    "redeliver": Scenario(
        seed=((*DELIVERY, "status", "failed"), WEBHOOK),
        names=named(now=NOW, reference="acc/d", resend_ms=2_000),
    ),
    "governor_turn": Scenario(
        seed=(
            ("ZADD", "callers", NOW + 5_000, "one"),
            ("HSET", "calls", "one|a", "acc|5|000000000001|900000|9"),
            *(("ZADD", key, 0, "one|a") for key in ("running", "granted")),
        ),
        names=named(
            now=NOW,
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
    ),
    "lease_outbound": Scenario(
        seed=(("HSET", "accounts", "acc", "pro|record"),),
        names=named(
            outbound="calls",
            now=NOW,
            account="acc",
            host="host",
            window_ms=60_000,
            calls=4,
            bytes=100,
            limits=["free", 1, 1, 1, "pro", 50, 50, 1_000],
        ),
    ),
    "record_change": Scenario(
        seed=(("ZADD", "changes", 5, "workflow:old", NOW - 5, "workflow:echo"),),
        names=named(now=NOW, change="workflow:echo", keep_ms=60_000, most=10),
    ),
    "read_account_events": Scenario(
        seed=(
            ("ZADD", "executions", NOW - 9, "x"),
            ("ZADD", "finished", NOW - 7, "other/y", NOW - 7, "acc/x"),
            ("ZADD", "changes", NOW - 5, "workflow:echo"),
            ("XADD", "ledger", f"{NOW - 3}-0", "kind", "capture"),
        ),
        names=named(now=NOW, since=NOW - 9, prefix="acc/", most=10, most_examined=1_000),
    ),
    "seal_secret": Scenario(
        seed=(WEBHOOK,),
        names=named(record="webhook", field="secret", stored="s", sealed=b"\x01sealed"),
        answer=b"other",
    ),
    "delete_secret": Scenario(
        seed=(("HSET", "secrets", "A", "sealed", "A.created", NOW, "A.updated", NOW),),
        names=named(now=NOW, name="A", act=ACT),
        answer=0,
    ),
    "save_secret": Scenario(
        seed=(),
        names=named(
            now=NOW,
            name="TOKEN",
            sealed=b"\x01sealed",
            most=100,
            hosts="a.example *.b.example",
            act=ACT,
        ),
    ),
    "save_answers": Scenario(
        seed=(EXECUTION, HELD),
        names=named(
            execution="x",
            reference="acc/x",
            claim="1:token",
            node=2,
            batch=1,
            answers=b"what was answered",
            has_object="1",
        ),
    ),
    "save_job": Scenario(
        seed=(EXECUTION, HELD),
        names=named(
            execution="x",
            reference="acc/x",
            claim="1:token",
            node=2,
            item=3,
            job=b"job at the provider",
        ),
    ),
    "save_webhook": Scenario(
        seed=(("HSET", "account_api_keys", "key_1", "digest"), WEBHOOK),
        names=named(
            now=NOW,
            api_key="key_1",
            url="u",
            enabled="1",
            secret="another",
            new_secret="made",
            overlap_ms=60_000,
            act=NO_ACT,
        ),
    ),
    "accept_execution": Scenario(
        seed=(("HSET", "workflow", "version", "3", "state", "live"),),
        names=named(
            execution="x",
            first_call="first",
            wallet="wallet",
            ledger="ledger",
            now=NOW,
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
    ),
    "advance_execution": Scenario(
        seed=(EXECUTION, HELD, ("SADD", "active", "x"), CHARGED, WALLET),
        names=named(
            execution="x",
            now=NOW,
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
        ),
        answer=[b"ok", b"processing", b"", str(NOW).encode()],
    ),
    "authorize_key": Scenario(
        seed=(("HSET", "api_keys", "digest", "acc|record"), ("HSET", "accounts", "acc", "record")),
        names=named(now=NOW, digest="digest"),
    ),
    "authorize_session": Scenario(
        seed=(("SET", "session", "acc", "PX", 60_000), ("HSET", "accounts", "acc", "record")),
        names=named(renewal_ms=30_000),
    ),
    "beat_worker": Scenario(
        seed=(),
        names=named(
            now=NOW,
            worker="w1",
            lease_ms=3000,
            names="A_KEY B_KEY",
        ),
    ),
    "list_worker_variables": Scenario(
        seed=(
            ("ZADD", "workers", NOW, "dead", NOW + 1, "w1", NOW + 2, "w2"),
            ("HSET", "variables", "w1", "A_KEY", "dead", "B_KEY"),
        ),
        names=named(now=NOW),
        answer=[b"A_KEY", b""],
    ),
    "mark_installation": Scenario(
        seed=(), names=named(now=NOW, ids="a", schema=1, partitions=16), answer=0
    ),
    "remove_dead_worker": Scenario(
        seed=(("ZADD", "workers", NOW - 1, "w1"),),
        names=named(now=NOW, worker="w1"),
        answer=0,
    ),
    "cancel_execution": Scenario(
        seed=((*EXECUTION, "holders", 0), HELD, CHARGED, WALLET, RAN),
        names=named(
            execution="x",
            now=NOW,
            reference="acc/x",
            execution_id="x",
            cancels="cancels",
        ),
        answer=[b"ended", b"cancelled"],
    ),
    "claim_execution": Scenario(
        seed=((*EXECUTION, "holders", 0), DUE),
        names=named(
            execution="x",
            now=NOW,
            reference="acc/x",
            token="token",
            worker="w1",
        ),
    ),
    "count_key_call": Scenario(
        seed=(
            ("HSET", "api_keys", "digest", "acc|record"),
            ("HSET", "accounts", "acc", "pro|record"),
        ),
        names=named(
            now=NOW,
            digest="digest",
            bucket="runs",
            window_ms=60_000,
            cost=1,
            limits=("free", 1, "pro", 5),
        ),
    ),
    "count_session_call": Scenario(
        seed=(("SET", "session", "acc", "PX", 60_000), ("HSET", "accounts", "acc", "pro|record")),
        names=named(
            now=NOW, renewal_ms=30_000, bucket="runs", window_ms=60_000, cost=1, limits=("pro", 5)
        ),
    ),
    "delete_workflow": Scenario(
        seed=(
            ("HSET", "workflow", "version", "1", "state", "live", "d1", b"document"),
            ("SADD", "account_workflows", "echo"),
        ),
        names=named(now=NOW, slug="echo", reference="acc/echo"),
        answer=0,
    ),
    "finish_execution": Scenario(
        seed=(
            *(("HSET", "x", "status", "processing", "slug", "echo", "version", 3, "inputs", "i"),),
            *(("HSET", "x", "created", NOW, "statuses", "pps", "notifier", "b"),),
            *(("SADD", "active", "x"), DUE, RAN),
        ),
        names=named(
            execution="x",
            now=NOW,
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
        ),
    ),
    "forget_execution": Scenario(
        seed=(EXECUTION, ("ZADD", "finished", NOW, "acc/x"), ("ZADD", "all", NOW, "x")),
        names=named(
            execution="x",
            executions="all",
            delivery="d",
            newest_forgotten="forgotten",
            execution_id="x",
            reference="acc/x",
            ended_before_ms=NOW + 1,
        ),
        answer=0,
    ),
    "recall_execution": Scenario(
        seed=(),
        names=named(
            execution="x",
            executions="all",
            now=NOW,
            execution_id="x",
            reference="acc/x",
            created=NOW - 9,
            fields=["status", "failed", "created", NOW - 9],
            entries=["1-0", 2, "begun", "pp", "2-0", 4, "ended", "failed", "left", ""],
        ),
        answer=0,
    ),
    "give_back_execution": Scenario(
        seed=(EXECUTION, HELD),
        names=named(
            execution="x",
            now=NOW,
            reference="acc/x",
            is_lost="1",
        ),
        answer=0,
    ),
    "free_execution": Scenario(
        seed=(EXECUTION,),
        names=named(
            execution="x",
            now=NOW,
            reference="acc/x",
            fence="1",
        ),
        answer=0,
    ),
    "delay_message": Scenario(
        seed=(), names=named(delayed="due", now=NOW, delay_ms=1_000, message=b"message")
    ),
    "take_message": Scenario(
        seed=(
            ("RPUSH", "queue", b"first", b"second"),
            ("ZADD", "due", NOW, b"due", NOW + 1, b"later"),
        ),
        names=named(queue="queue", delayed="due", now=NOW),
    ),
    "list_dead_workers": Scenario(seed=(("ZADD", "workers", NOW - 1, "w1"),), names=named(now=NOW)),
    "list_executions": Scenario(
        seed=(("ZADD", "all", NOW, "x", NOW, "y", NOW + 1, "z"),),
        names=named(
            listed="all",
            at=NOW,
            id="y",
            most=2,
        ),
    ),
    "match_executions": Scenario(
        seed=(EXECUTION, ("HSET", "y", "status", "failed", "slug", "echo", "models", "a,b")),
        names=named(
            executions=["x", "y", "z"],
            conditions=["status", "one_of", "failed", "", "models", "has", "b", "owner"],
        ),
    ),
    "watch_execution": Scenario(
        seed=(EXECUTION,),
        names=named(
            execution="x",
            channel="notifier",
            first=1,
            most=10,
        ),
    ),
    "publish_progress": Scenario(
        seed=((*EXECUTION, "events", 3, "watchers", "b,"), HELD),
        names=named(
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
    ),
    "record_key_use": Scenario(
        seed=(("HSET", "account_api_keys", "key_1", "digest"),),
        names=named(now=NOW, api_key="key_1"),
    ),
    "replace_key": Scenario(
        seed=(
            ("HSET", "account_api_keys", "key_1", "digest"),
            ("HSET", "api_keys", "digest", b"acc|old"),
        ),
        names=named(
            now=NOW,
            api_key="key_1",
            digest="digest",
            record=b"acc|old",
            new_record=b"acc,1000001|new",
            expires_at=NOW + 1,
            account="acc",
            access_changes="access",
        ),
    ),
    "promote_due": Scenario(
        seed=(DUE,), names=named(now=NOW, most=10, repeat_ms=5000), answer=[1, []]
    ),
    "record_answer": Scenario(
        seed=(("HSET", "first", "execution", "x"),),
        names=named(
            idempotency="first",
            answer="accepted",
        ),
    ),
    "redeem_login": Scenario(
        seed=(
            *(("SET", "login", "acc", "PX", 60_000), ("HSET", "accounts", "acc", "record")),
            ("ZADD", "account_sessions", NOW - 1, "ses_old"),
        ),
        names=named(
            now=NOW,
            account="acc",
            session_ms=60_000,
            session_id="ses_1",
            digest="digest",
            user_agent="curl",
            address="192.0.2.7",
        ),
    ),
    "record_session_use": Scenario(
        seed=(("SET", "session", "acc", "PX", 60_000),),
        names=named(
            now=NOW,
            account="acc",
            session_id="ses_1",
            digest="digest",
            session_ms=90_000,
            must_extend="1",
        ),
    ),
    "end_session": Scenario(
        seed=(
            *(
                ("SET", "session", "acc", "PX", 60_000),
                ("HSET", "session_record", "account", "acc"),
            ),
            ("ZADD", "account_sessions", NOW, "ses_1"),
        ),
        names=named(now=NOW, session_id="ses_1", account="acc", access_changes="access", act=ACT),
        answer=0,
    ),
    "replace_account": Scenario(
        seed=(("HSET", "accounts", "acc", b"admin|old", "other", b"admin|record"),),
        names=named(
            now=NOW,
            account="acc",
            record=b"admin|old",
            new_record=b"pro|new",
            guaranteed_until=0,
            access_changes="access",
            act=ACT,
        ),
    ),
    "guarantee_admin": Scenario(
        seed=(
            ("HSET", "accounts", "acc", b"admin|record"),
            ("ZADD", "admin_guarantees", NOW, "old"),
        ),
        names=named(now=NOW, token="token", guarantee_ms=60_000),
    ),
    "create_account": Scenario(
        seed=(), names=named(now=NOW, account="acc", record=b"pro|record", act=ACT)
    ),
    "create_key": Scenario(
        seed=(),
        names=named(now=NOW, api_key="key_1", digest="digest", record=b"acc|record", act=ACT),
    ),
    "revoke_key": Scenario(
        seed=(
            *(
                ("HSET", "account_api_keys", "key_1", "digest"),
                ("HSET", "api_keys", "digest", b"acc|record"),
            ),
            *(("HSET", "key_uses", "key_1", NOW), WEBHOOK),
        ),
        names=named(
            now=NOW,
            api_key="key_1",
            digest="digest",
            webhook_ms=60_000,
            account="acc",
            access_changes="access",
            act=ACT,
        ),
        answer=0,
    ),
    "create_login": Scenario(
        seed=(("HSET", "accounts", "acc", "record"),),
        names=named(now=NOW, account="acc", login_ms=60_000, act=ACT),
    ),
    "put_snapshot": Scenario(
        seed=(("SET", "folded", "3", "PX", 60_000), ("HSET", "snapshots", "p1", b"1|4|before")),
        names=named(
            now=NOW, process="p1", number=5, left_out=3, samples=b"samples", folded_ms=60_000
        ),
    ),
    "retire_snapshots": Scenario(
        seed=(("HSET", "snapshots", "retired", b"sum", "p1", b"1|4|one", "p2", b"two"),),
        names=named(
            folded=("folded",),
            sum=b"sum",
            new_sum=b"new sum",
            folded_ms=60_000,
            processes=("p1", 4),
        ),
        answer=0,
    ),
    "save_model": Scenario(
        seed=(
            ("HSET", "models", "version:own", 4, "created:own", NOW - 1, "operation:own", "before"),
            ("HSET", "models", "at:own:2", NOW - 3, "manifest:own:2", b"old", "generation", 6),
        ),
        names=named(
            now=NOW,
            model="own",
            operation="operation",
            expected="4",
            manifest=b"manifest",
            most_former=2,
            changes="changes",
            most_models=200,
            act=ACT,
        ),
    ),
    "delete_model": Scenario(
        seed=(("HSET", "models", "version:own", 4, "created:own", NOW, "operation:own", "before"),),
        names=named(now=NOW, model="own", operation="operation", changes="changes", act=ACT),
    ),
    "save_workflow": Scenario(
        seed=(
            *(OLD_WORKFLOW, OLD_NAMES, STORED, ("HSET", "accounts", "acc", "pro|record")),
            ("HSET", "workflow", "draft", b"draft", "draft_revision", 7),
        ),
        names=named(
            now=NOW,
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
    ),
    "revise_version": Scenario(
        seed=(OLD_WORKFLOW, STORED, ("HSET", "accounts", "acc", "pro|record")),
        names=named(
            now=NOW,
            operation="operation",
            expected=3,
            document=b"document",
            account="acc",
            slug="echo",
            summary=b"summary",
            limits=("free", "1:1", "pro", "1:22"),
        ),
    ),
    "restore_workflow": Scenario(
        seed=(
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
        ),
        names=named(now=NOW, slug="echo", reference="acc/echo", undo_ms=60_000),
        answer=b"living",
    ),
    "save_draft": Scenario(
        seed=(
            ("HSET", "workflow", "state", "live"),
            STORED,
            ("HSET", "accounts", "acc", "pro|record"),
        ),
        names=named(
            now=NOW,
            operation="operation",
            expected=",0,",
            document=b"document",
            account="acc",
            slug="echo",
            summary=b"summary",
            limits=("free", "1:1", "pro", "1:22"),
        ),
    ),
    "request_cover": Scenario(
        seed=(OLD_WORKFLOW,), names=named(now=NOW, digest="ab12", quiet_ms=60_000), answer=[b"", 0]
    ),
    "record_cover": Scenario(
        seed=(OLD_WORKFLOW, ("HSET", "workflow", "cover", "ab12|5|")),
        names=named(now=NOW, digest="ab12", asset="asset", quiet_ms=0),
    ),
    "discard_draft": Scenario(
        seed=(
            ("HSET", "workflow", "state", "live", "version", 1, "draft", b"x", "draft_revision", 3),
            STORED,
        ),
        names=named(expected=",3,"),
        answer=[b"none"],
    ),
    "begin_public_run": Scenario(
        seed=(("HSET", "workflow", "state", "live", "version", 2),), names=named(now=NOW, version=2)
    ),
    "count_public_run": Scenario(
        seed=(("HSET", "workflow", "state", "live"), RAN), names=named(now=NOW)
    ),
    "review_workflow": Scenario(
        seed=(OLD_WORKFLOW, OLD_NAMES, STORED, ("ZADD", "workflows_due", NOW, "acc/echo")),
        names=named(
            now=NOW,
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
    ),
    "send_hints": Scenario(seed=(), names=named(queue="hints", hints=["walk|acc/x"])),
    "read_wallet": Scenario(
        seed=(("HSET", "wallet", "given", 20, "ends", 1, "b:m1", 4, "b:t2.a", 5, "b:t0.b", 6),),
        names=named(now=NOW, terms=TERMS),
    ),
    "top_up": Scenario(
        seed=(WALLET,),
        names=named(
            now=NOW, operation="operation", credits=30, lapses_at=NOW + 1, terms=TERMS, act=ACT
        ),
    ),
    "take_lead": Scenario(seed=(), names=named(now=NOW, worker="w1", lease_ms=60_000)),
    "shorten_leases": Scenario(
        seed=(("ZADD", "workers", NOW + 9_000, "w1", NOW + 1_000, "w2"),),
        names=named(now=NOW, lease_ms=3_000),
    ),
}
