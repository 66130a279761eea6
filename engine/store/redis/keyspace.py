"""Redis keys as functions; batches, providers and processes have modules of their own for theirs.

All keys of an account carry the hash tag of its partition, so that an account is in one slot and
scripts over several of its keys run on Redis Cluster too. Work that spans accounts (due times, held
executions, retention) is kept once per partition, so that a sweep costs one read per partition, not
one per account.
"""

import functools

from engine.ids.partitions import partition_of

KNOWN_ACCOUNTS = 1_024  # one acceptance makes eight keys of one account


def partition_tag(partition: int) -> str:
    """Return the hash tag of a partition."""
    return f"{{hr{partition:02d}}}"


@functools.lru_cache(KNOWN_ACCOUNTS)
def account_tag(account_id: str) -> str:
    """Return the hash tag of the account's partition."""
    return partition_tag(partition_of(account_id))


def accounts(partition: int) -> str:
    """Hash: account id → the account's record."""
    return f"{partition_tag(partition)}:accounts"


def admin_guarantees(partition: int) -> str:
    """Sorted set: token of a guarantee of an admin by its end in milliseconds."""
    return f"{partition_tag(partition)}:admin_guarantees"


def audit(partition: int) -> str:
    """Stream: administrative acts on accounts of the partition."""
    return f"{partition_tag(partition)}:audit"


def api_keys(partition: int) -> str:
    """Hash: digest of the secret → the API key's record."""
    return f"{partition_tag(partition)}:api_keys"


def session(partition: int, digest: str) -> str:
    """String: account id of a signed-in browser, with an expiry."""
    return f"{partition_tag(partition)}:session:{digest}"


def session_record(partition: int, session_id: str) -> str:
    """Hash: account, digest, times, user agent and address of a session, with its expiry."""
    return f"{partition_tag(partition)}:session_record:{session_id}"


def account_sessions(account_id: str) -> str:
    """Sorted set: session id by the time in milliseconds at which the session ends."""
    return f"{account_tag(account_id)}:account:{account_id}:sessions"


def login(partition: int, digest: str) -> str:
    """String: account id of a login link, with an expiry."""
    return f"{partition_tag(partition)}:login:{digest}"


def windows(partition: int) -> str:
    """Hash: account|bucket → end of the current window and calls in it; expires when unused."""
    return f"{partition_tag(partition)}:windows"


def account_api_keys(account_id: str) -> str:
    """Hash: API key id → digest, for one account."""
    return f"{account_tag(account_id)}:account:{account_id}:api_keys"


def account_key_uses(account_id: str) -> str:
    """Hash: API key id → time of its last use in milliseconds, for one account."""
    return f"{account_tag(account_id)}:account:{account_id}:key_uses"


def account_secrets(account_id: str) -> str:
    """Hash: secrets of the account: name → sealed value, and both times in milliseconds."""
    return f"{account_tag(account_id)}:account:{account_id}:secrets"


def secret_users(account_id: str) -> str:
    """Set: slugs of the workflows that have named a secret, until they are gone."""
    return f"{account_tag(account_id)}:account:{account_id}:secret_users"


def workflow_callers(account_id: str) -> str:
    """Sorted set: call of a workflow, a slash and the slug of its caller, with score 0."""
    return f"{account_tag(account_id)}:account:{account_id}:workflow_callers"


def account_workflows(account_id: str) -> str:
    """Set: slugs of the account's workflows."""
    return f"{account_tag(account_id)}:account:{account_id}:workflows"


def workflows_by_time(account_id: str) -> str:
    """Sorted set: slug by the time in milliseconds of the last change, as lists show it."""
    return f"{account_tag(account_id)}:account:{account_id}:workflows_by_time"


def workflow(account_id: str, slug: str) -> str:
    """Hash: head of a workflow (version, state, times) and documents of its versions.

    `version` is the live one, absent before the first.

    Fields of a kept version: `d<version>` is its document, `m<version>` its time in milliseconds, a
    colon and its facts, `r<version>` exists once it has run, `p<version>` once another
    account has. `draft` is the document of the draft;
    `lua/shared/workflows/draft.lua` names the fields beside it. `runs` is that of
    `lua/shared/workflows/count_run.lua`, and `summary` that of `store/workflows/summaries.py`.
    `store/releases/keys.py` names the fields of aliases.
    """
    return f"{account_tag(account_id)}:workflow:{account_id}:{slug}"


def workflow_node_names(account_id: str, slug: str) -> str:
    """Hash: names of the nodes of a workflow's versions, for readable executions.

    `v<version>` is the digest of the names, with the time of its removal in milliseconds for a
    version without a document; `n<digest>` is the names; `c<digest>` the number of versions with
    them.
    """
    return f"{account_tag(account_id)}:node_names:{account_id}:{slug}"


def stored_documents(account_id: str) -> str:
    """Hash: bytes of the account's documents and nodes' names, and number of its workflows."""
    return f"{account_tag(account_id)}:account:{account_id}:documents"


def workflows_due(partition: int) -> str:
    """Sorted set: account/slug by the time in milliseconds of its next review."""
    return f"{partition_tag(partition)}:workflows_due"


def outbound(account_id: str) -> str:
    """Hash: an account's outbound calls in this minute, in total and by host, and their bytes."""
    return f"{account_tag(account_id)}:outbound:{account_id}"


def execution(account_id: str, execution_id: str) -> str:
    """Hash: one execution, with node statuses as a string and node records as opaque bytes."""
    return f"{account_tag(account_id)}:execution:{account_id}:{execution_id}"


def events(account_id: str, execution_id: str) -> str:
    """Stream: numbered events of a watched execution."""
    return f"{account_tag(account_id)}:events:{account_id}:{execution_id}"


def progress(account_id: str, execution_id: str) -> str:
    """Stream: text and progress of the running nodes of a watched execution, with an expiry.

    Its entries share the numbers of `events`.
    """
    return f"{account_tag(account_id)}:progress:{account_id}:{execution_id}"


def account_executions(account_id: str) -> str:
    """Sorted set: execution id by creation time in milliseconds."""
    return f"{account_tag(account_id)}:account:{account_id}:executions"


def active(account_id: str) -> str:
    """Set: ids of the account's executions that have not ended, but for those that only wait."""
    return f"{account_tag(account_id)}:account:{account_id}:active"


def idempotency(account_id: str, digest: str) -> str:
    """Hash: execution, body's fingerprint and response of the first call, with an expiry."""
    return f"{account_tag(account_id)}:idempotency:{account_id}:{digest}"


def due(partition: int) -> str:
    """Sorted set: account/execution by the time in milliseconds of its next hint."""
    return f"{partition_tag(partition)}:due"


def held(partition: int, worker_id: str) -> str:
    """Hash: account/execution → fence, for the executions of one worker process."""
    return f"{partition_tag(partition)}:held:{worker_id}"


def finished(partition: int) -> str:
    """Sorted set: account/execution by the time in milliseconds at which it ended."""
    return f"{partition_tag(partition)}:finished"


def unarchived(partition: int) -> str:
    """Sorted set: account/execution that has ended and is not in the history yet, by that time.

    It is the outbox between an execution's end and the history.
    """
    return f"{partition_tag(partition)}:unarchived"


def newest_forgotten(partition: int, kind: str = "executions") -> str:
    """Hash: account id → creation time in ms of its newest forgotten execution or delivery."""
    return f"{partition_tag(partition)}:newest_forgotten_{kind}"


def unarchived_deliveries(partition: int) -> str:
    """Sorted set: account/delivery/fence of ended deliveries, by the time of their last attempt.

    It is the outbox between a delivery's end and the history.
    """
    return f"{partition_tag(partition)}:unarchived_deliveries"


def webhook(account_id: str, owner: str) -> str:
    """Hash: webhook of its owner: an API key, or one run or batch (`store/webhooks/owners.py`).

    `events` are the events that it asks for, separated by commas; absent: the three ends. That of a
    run or a batch has `pending`, the number of its deliveries that have not ended, and after the
    end of its owner `ended`; it is removed with the last delivery. It has a sealed `secret`, or
    `signer`, the API key with whose webhook's secrets its deliveries are signed.
    """
    return f"{account_tag(account_id)}:webhook:{account_id}:{owner}"


def delivery(account_id: str, delivery_id: str) -> str:
    """Hash: one delivery with its attempts as opaque bytes, with an expiry.

    The delivery of an execution's end has the execution's id. `key` is the owner of its webhook,
    `signer` that of the run's webhook; `sequence` counts the deliveries of its execution from 1.
    `node` (JSON) and `spent` (credits) are those of `node.finished`, `batch` is the id of a batch.
    """
    return f"{account_tag(account_id)}:delivery:{account_id}:{delivery_id}"


def webhook_deliveries(account_id: str, owner: str) -> str:
    """Sorted set: ids of the deliveries of a webhook by creation time in milliseconds.

    With the owner of a run's webhook, it has those of the execution to the webhook of a key too,
    where that one asks for other events than the ends.
    """
    return f"{account_tag(account_id)}:deliveries:{account_id}:{owner}"


def account_deliveries(account_id: str) -> str:
    """Sorted set: ids of all deliveries of an account by creation time in milliseconds."""
    return f"{account_tag(account_id)}:account:{account_id}:deliveries"


def deliveries_due(partition: int) -> str:
    """Sorted set: account/delivery by the time in milliseconds of its next hint."""
    return f"{partition_tag(partition)}:deliveries_due"


def history() -> str:
    """Hash: id of the history's database, and the state of the archiver."""
    return "hr:history"


def archived_deliveries(partition: int) -> str:
    """Sorted set: account/delivery/fence in the history, by the time in ms of its archiving."""
    return f"{partition_tag(partition)}:archived_deliveries"


def wallet(account_id: str) -> str:
    """Hash: credits left by bucket, and state of allowance, trials and folded entries."""
    return f"{account_tag(account_id)}:account:{account_id}:wallet"


def account_changes(account_id: str) -> str:
    """Sorted set: changes of an account's objects by time in milliseconds; expires when unused.

    `workflow:<slug>` is a save, `delivery:<id>` an attempt of a webhook's delivery.
    """
    return f"{account_tag(account_id)}:account:{account_id}:changes"


def ledger(account_id: str) -> str:
    """Stream: every movement of the account's credits."""
    return f"{account_tag(account_id)}:account:{account_id}:ledger"


def asset(partition: int, asset_id: str) -> str:
    """Hash: an asset; its id is in the partition of its account."""
    return f"{partition_tag(partition)}:asset:{asset_id}"


def asset_references(partition: int, asset_id: str) -> str:
    """Set: execution ids and workflow names that an asset must outlive."""
    return f"{partition_tag(partition)}:asset_references:{asset_id}"


def account_assets(partition: int) -> str:
    """Sorted set: all visible assets, by name: account|creation time in milliseconds.id."""
    return f"{partition_tag(partition)}:account_assets"


def media_bytes(partition: int) -> str:
    """Hash: account id → bytes of the account's media."""
    return f"{partition_tag(partition)}:media_bytes"


def assets_due(partition: int) -> str:
    """Sorted set: asset id by the time in milliseconds of its next review."""
    return f"{partition_tag(partition)}:assets_due"


def seal() -> str:
    """String: a word sealed with the installation's key, to recognise the key."""
    return "hr:seal"


def top_up(account_id: str, operation: str) -> str:
    """String: marker of a completed top-up, with an expiry."""
    return f"{account_tag(account_id)}:top_up:{account_id}:{operation}"


def slugs() -> str:
    """Hash: slug → account id; a slug is assigned once, for good."""
    return "hr:slugs"


def installation() -> str:
    """Hash: marker of the installation that owns the data.

    The hash tag puts it into the slot of `account_ids`.
    """
    return "hr:installation:{hr:account_ids}"


def is_ours(key: bytes) -> bool:
    """Return whether a key has a name of Headrace: other programs may use the same Redis."""
    return key.startswith((b"hr:", b"{hr"))


def partition_mark(partition: int) -> str:
    """Hash: mark of the installation in each partition of a cluster: its creation time in ms."""
    return f"{partition_tag(partition)}:installation"


def account_ids() -> str:
    """Sorted set: account id by creation time in milliseconds."""
    return "hr:account_ids"


def api_key_ids() -> str:
    """Hash: API key id → account id."""
    return "hr:api_key_ids"


def templates() -> str:
    """Set: slugs of the workflows that every account may read."""
    return "hr:templates"


def templates_by_time() -> str:
    """Sorted set: slug of a template by the time in milliseconds of the last change."""
    return "hr:templates_by_time"


def public_forms() -> str:
    """Set: slugs of the workflows with a public schema."""
    return "hr:public_forms"


def models() -> str:
    """Hash: models saved over HTTP, and a generation that grows with each change.

    Fields of a name: its last version, its creation time (while it exists) and its last operation;
    for each kept version: its time and the manifest's record.
    """
    return "hr:models"


def models_audit() -> str:
    """Stream: administrative acts on saved models.

    The hash tag puts it into the slot of `models`.
    """
    return f"hr:audit:{{{models()}}}"


def reference(account_id: str, execution_id: str) -> str:
    """Return the name of an execution in sets and hints."""
    return f"{account_id}/{execution_id}"


def is_reference(text: str) -> bool:
    """Return whether the text is the reference of an execution."""
    account_id, _, execution_id = text.partition("/")
    return bool(account_id and execution_id)


def parse_reference(text: str) -> tuple[str, str]:
    """Return account id and execution id of a reference. Raises ValueError for other texts."""
    account_id, slash, execution_id = text.partition("/")
    if not slash or not account_id or not execution_id:
        raise ValueError("not a reference")
    return account_id, execution_id
