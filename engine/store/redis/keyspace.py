"""Every Redis key and channel, as a function; nothing else spells one out.

All keys of an account carry the hash tag of its partition, so an account lives in one slot and
scripts over several of its keys run on Redis Cluster too. Work that spans accounts (due times,
held executions, retention) is kept once per partition, so a sweep costs 16 reads, not one per
account. Providers are called for all accounts: the keys of each have a hash tag of their own.
"""

from engine.ids.partitions import partition_of


def _tag(partition: int) -> str:
    return f"{{hr{partition:02d}}}"


def _account_tag(account_id: str) -> str:
    return _tag(partition_of(account_id))


def _provider_tag(provider: str) -> str:
    return f"{{hrp:{provider}}}"


def accounts(partition: int) -> str:
    """Hash: account id → the account's record."""
    return f"{_tag(partition)}:accounts"


def api_keys(partition: int) -> str:
    """Hash: digest of the secret → the API key's record."""
    return f"{_tag(partition)}:api_keys"


def session(partition: int, digest: str) -> str:
    """String: id of the account that a browser is signed in to, with an expiry."""
    return f"{_tag(partition)}:session:{digest}"


def login(partition: int, digest: str) -> str:
    """String: id of the account that a login link signs in to, with an expiry."""
    return f"{_tag(partition)}:login:{digest}"


def call_authorization(partition: int, pass_id: str) -> str:
    """String: a call may go on, for as long as the key lives; for one script to use up."""
    return f"{_tag(partition)}:pass:{pass_id}"


def windows(partition: int) -> str:
    """Hash: account|bucket → end of the current window and calls in it; expires when unused."""
    return f"{_tag(partition)}:windows"


def account_api_keys(account_id: str) -> str:
    """Hash: API key id → digest, for one account."""
    return f"{_account_tag(account_id)}:account:{account_id}:api_keys"


def account_key_uses(account_id: str) -> str:
    """Hash: API key id → time of its last use in milliseconds, for one account."""
    return f"{_account_tag(account_id)}:account:{account_id}:key_uses"


def account_workflows(account_id: str) -> str:
    """Set: slugs of the account's workflows."""
    return f"{_account_tag(account_id)}:account:{account_id}:workflows"


def workflow(account_id: str, slug: str) -> str:
    """Hash: head of a workflow (version, state, times) and documents of its versions.

    Of each version that is kept: `d<version>` its document, `r<version>` when it was ever run.
    """
    return f"{_account_tag(account_id)}:workflow:{account_id}:{slug}"


def workflow_node_names(account_id: str, slug: str) -> str:
    """Hash: how the nodes of a workflow's versions are called, for executions that are read.

    `v<version>` the digest of the names, with the time in milliseconds since when the version has
    no document; `n<digest>` the names; `c<digest>` of how many versions they are.
    """
    return f"{_account_tag(account_id)}:node_names:{account_id}:{slug}"


def stored_documents(account_id: str) -> str:
    """Hash: bytes of the account's documents and nodes' names, and workflows that they are of."""
    return f"{_account_tag(account_id)}:account:{account_id}:documents"


def workflows_due(partition: int) -> str:
    """Sorted set: account/slug by the time in milliseconds at which versions may have to go."""
    return f"{_tag(partition)}:workflows_due"


def outbound(account_id: str) -> str:
    """Hash: outbound calls of an account in this minute, all, by host, and their bytes."""
    return f"{_account_tag(account_id)}:outbound:{account_id}"


def execution(account_id: str, execution_id: str) -> str:
    """Hash: one execution, with node statuses as a string and node records as opaque bytes."""
    return f"{_account_tag(account_id)}:execution:{account_id}:{execution_id}"


def events(account_id: str, execution_id: str) -> str:
    """Stream: what happened to an execution that is watched, by number."""
    return f"{_account_tag(account_id)}:events:{account_id}:{execution_id}"


def progress(account_id: str, execution_id: str) -> str:
    """Stream: what running nodes of an execution that is watched have told, with an expiry.

    Its entries are numbered along with those of `events`.
    """
    return f"{_account_tag(account_id)}:told:{account_id}:{execution_id}"


def account_executions(account_id: str) -> str:
    """Sorted set: execution id by creation time in milliseconds."""
    return f"{_account_tag(account_id)}:account:{account_id}:executions"


def active(account_id: str) -> str:
    """Set: ids of the account's executions that have not ended."""
    return f"{_account_tag(account_id)}:account:{account_id}:active"


def idempotency(account_id: str, digest: str) -> str:
    """Hash: execution, body's fingerprint and answer of the first call, with an expiry."""
    return f"{_account_tag(account_id)}:idempotency:{account_id}:{digest}"


def due(partition: int) -> str:
    """Sorted set: account/execution by the time in milliseconds at which a hint must go out."""
    return f"{_tag(partition)}:due"


def held(partition: int, worker_id: str) -> str:
    """Hash: account/execution → fence, for what one worker process holds."""
    return f"{_tag(partition)}:held:{worker_id}"


def finished(partition: int) -> str:
    """Sorted set: account/execution by the time in milliseconds at which it ended."""
    return f"{_tag(partition)}:finished"


def webhook(account_id: str, key_id: str) -> str:
    """Hash: the webhook of an API key, its secrets included."""
    return f"{_account_tag(account_id)}:webhook:{account_id}:{key_id}"


def delivery(account_id: str, delivery_id: str) -> str:
    """Hash: one delivery with its attempts as opaque bytes; expires when it was kept long enough.

    A delivery that tells of an execution has the execution's id.
    """
    return f"{_account_tag(account_id)}:delivery:{account_id}:{delivery_id}"


def webhook_deliveries(account_id: str, key_id: str) -> str:
    """Sorted set: ids of a webhook's deliveries by creation time in milliseconds."""
    return f"{_account_tag(account_id)}:deliveries:{account_id}:{key_id}"


def deliveries_due(partition: int) -> str:
    """Sorted set: account/delivery by the time in milliseconds at which a hint must go out."""
    return f"{_tag(partition)}:deliveries_due"


def wallet(account_id: str) -> str:
    """Hash: credits left by bucket, and what is known of allowance, trials and old entries."""
    return f"{_account_tag(account_id)}:account:{account_id}:wallet"


def ledger(account_id: str) -> str:
    """Stream: every movement of the account's credits."""
    return f"{_account_tag(account_id)}:account:{account_id}:ledger"


def asset(partition: int, asset_id: str) -> str:
    """Hash: an asset, whose id falls into the partition of its account."""
    return f"{_tag(partition)}:asset:{asset_id}"


def asset_references(partition: int, asset_id: str) -> str:
    """Set: ids of executions, and names of workflows, that an asset must outlive."""
    return f"{_tag(partition)}:asset_references:{asset_id}"


def account_assets(partition: int) -> str:
    """Sorted set: all assets that are seen, by name: account|creation time in milliseconds.id."""
    return f"{_tag(partition)}:account_assets"


def media_bytes(partition: int) -> str:
    """Hash: account id → what the account's media take, in bytes."""
    return f"{_tag(partition)}:media_bytes"


def assets_due(partition: int) -> str:
    """Sorted set: asset id by the time in milliseconds at which it is looked at again."""
    return f"{_tag(partition)}:assets_due"


def seal() -> str:
    """String: a word sealed with the installation's key, by which a key is known to be the one."""
    return "hr:seal"


def top_up(account_id: str, operation: str) -> str:
    """String: the operation has put its credits into the wallet, with an expiry."""
    return f"{_account_tag(account_id)}:top_up:{account_id}:{operation}"


def slugs() -> str:
    """Hash: slug → account id; a slug is given once, for good."""
    return "hr:slugs"


def installation() -> str:
    """Hash: the marker of the installation that the data belong to.

    The hash tag puts it into the slot of `account_ids`.
    """
    return "hr:installation:{hr:account_ids}"


def account_ids() -> str:
    """Sorted set: account id by creation time in milliseconds."""
    return "hr:account_ids"


def api_key_ids() -> str:
    """Hash: API key id → account id."""
    return "hr:api_key_ids"


def templates() -> str:
    """Set: slugs of the workflows that all may read."""
    return "hr:templates"


def public_forms() -> str:
    """Set: slugs of the workflows whose schema anybody may read."""
    return "hr:public_forms"


def models() -> str:
    """Hash: models saved over HTTP, and a number that grows with each change of any.

    For each name: its last version, when it was created (while it is there) and the last
    operation; for each version that is kept: when it was saved, and the manifest's record.
    """
    return "hr:models"


def workers() -> str:
    """Sorted set: worker id by the time in milliseconds at which its lease ends."""
    return "hr:workers"


def worker_variables() -> str:
    """Hash: worker id → names of variables that manifests name and that are set there.

    The hash tag puts it into the slot of `workers`.
    """
    return f"hr:worker_variables:{{{workers()}}}"


def leader() -> str:
    """String: the worker whose sweeper leads, with an expiry."""
    return "hr:leader"


def metrics() -> str:
    """Hash: process id → snapshot of its metrics."""
    return "hr:metrics"


def metrics_folded(process: str) -> str:
    """String: number of a process's snapshot that is in the sum of those that are gone."""
    return f"{{{metrics()}}}:folded:{process}"


def hints(queue: str) -> str:
    """List: hints of one queue; disposable."""
    return f"hr:hints:{queue}"


def messages(queue: str) -> str:
    """List: messages to own actors of an operator, of one queue; each is delivered at most once."""
    return f"hr:messages:{{{queue}}}"


def messages_due(queue: str) -> str:
    """Sorted set: message to an own actor by the time in milliseconds at which it is due."""
    return f"hr:messages_due:{{{queue}}}"


def notifier(gateway_id: str) -> str:
    """Channel: ids of ended executions whose caller waits at this gateway process."""
    return f"hr:bell:{gateway_id}"


def cancels() -> str:
    """Channel: account/execution of executions to cancel."""
    return "hr:cancels"


def model_changes() -> str:
    """Channel: internal names of models that were saved or deleted over HTTP."""
    return "hr:model_changes"


def provider_state(provider: str) -> str:
    """Hash: what the governor knows of a provider: limits, pace, failures."""
    return f"{_provider_tag(provider)}:state"


def provider_calls(provider: str) -> str:
    """Hash: caller|call → account, tokens, number, time of its turn, tokens reserved."""
    return f"{_provider_tag(provider)}:calls"


def provider_waiting(provider: str) -> str:
    """Sorted set: account|number|caller|call of the calls that wait, by name."""
    return f"{_provider_tag(provider)}:waiting"


def provider_ring(provider: str) -> str:
    """Sorted set: account by the share of the provider that it has had."""
    return f"{_provider_tag(provider)}:ring"


def provider_running(provider: str) -> str:
    """Sorted set: caller|call of the calls under way, by name."""
    return f"{_provider_tag(provider)}:running"


def provider_granted(provider: str) -> str:
    """Sorted set: caller|call of those whose turn it is and have not taken it, by name."""
    return f"{_provider_tag(provider)}:granted"


def provider_callers(provider: str) -> str:
    """Sorted set: worker process by the time in milliseconds at which its lease ends."""
    return f"{_provider_tag(provider)}:callers"


def turns(process_id: str) -> str:
    """Channel: providers at which it is the turn of calls of a worker process; names that too."""
    return f"hr:turns:{process_id}"


def reference(account_id: str, execution_id: str) -> str:
    """How sets and hints name an execution."""
    return f"{account_id}/{execution_id}"


def is_reference(text: str) -> bool:
    """Whether the text names an execution."""
    account_id, _, execution_id = text.partition("/")
    return bool(account_id and execution_id)


def parse_reference(text: str) -> tuple[str, str]:
    """Account id and execution id of a reference. Raises ValueError when it is not one."""
    account_id, slash, execution_id = text.partition("/")
    if not slash or not account_id or not execution_id:
        raise ValueError("not a reference")
    return account_id, execution_id
