"""Effective calls of the scripts of aliases."""

from tests.support.store.scenario import NOW, Value, scenario

WORKFLOW: tuple[Value, ...] = (
    *("HSET", "workflow", "version", 3, "state", "live", "created", NOW, "updated", NOW),
    *("d2", b"two", "d3", b"three", "d4", b"four", "latest", 4, "aliases_revision", 6),
)
CANARY = '{"id":"a","version":4,"percent":5,"maxErrorRate":0.1}'
PRO = ("HSET", "accounts", "acc", "pro|record")
LIMITS = ("free", "1:1", "pro", "1:1000")
OK_CANARY = f'{{"live":{{"version":3,"canary":{CANARY},"updatedAt":{NOW}}}}}'.encode()

RELEASE_SCENARIOS = {
    "set_alias": scenario(
        WORKFLOW,
        PRO,
        account="acc",
        name="stable",
        version="2",
        canary=CANARY,
        most_aliases=20,
        reason="The alias was set",
        limits=LIMITS,
    ),
    "delete_alias": scenario(
        WORKFLOW,
        ("HSET", "workflow", "aliases", '{"stable":{"version":2,"updatedAt":1}}'),
        ("HSET", "alias_history", "stable.1", "entry", "stable.last", 1, "bytes", 5),
        ("HSET", "documents", "bytes", 5),
        name="stable",
        again=b"missing",
    ),
    "promote_alias": scenario(
        WORKFLOW,
        PRO,
        ("HSET", "workflow", "aliases", OK_CANARY),
        account="acc",
        slug="echo",
        reference="acc/echo",
        name="live",
        version="4",
        canary_id="a",
        operation="operation",
        document=b"fourth",
        summary=b"summary",
        calls="letter",
        reason="The canary was promoted",
        limits=LIMITS,
        workflows_by_time="workflows_by_time",
        workflows_due="workflows_due",
        callers="callers",
    ),
}
