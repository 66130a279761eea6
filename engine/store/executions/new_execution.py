"""Executions to accept, and verdicts on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from engine.access.tiers import TierTerms
from engine.billing.credits import Quote, make_quote
from engine.executions.batches import BatchKind
from engine.executions.statuses import format_node_statuses
from engine.executions.tags import pack_tags
from engine.graph.document import RecordValues
from engine.graph.inner_plans import NO_PLANS, InnerPlans
from engine.graph.plan import Plan
from engine.graph.plan_digest import FIELD, digest_of
from engine.graph.progress import initial_codes
from engine.ids.executions import new_execution_id
from engine.ids.idempotency import IdempotencyKey
from engine.releases.aliases import Choice
from engine.store.accounts.speculation import SpeculativeAuthorization
from engine.store.dispatch.hints import MAX_CARRIED_BYTES, InlineRun
from engine.store.executions.events import initial_watch_fields
from engine.store.executions.inputs import NO_TURN, Turn
from engine.store.executions.offload import is_large
from engine.store.executions.start import Start
from engine.store.formats import Format
from engine.store.redis.connection import Argument
from engine.store.redis.record_packing import pack
from engine.store.releases.keys import ALIAS, RELEASE
from engine.store.triggers.starting import NewOccurrence, OccurrenceRefused
from engine.store.waits.records import FIRST_CALL
from engine.store.webhooks.delivery_keys import NO_DELIVERY_KEYS, DeliveryKeys
from engine.store.webhooks.run_webhooks import RunWebhook
from engine.store.workflows.records import Workflow


class BatchItem(Struct, frozen=True):
    """Item of a batch, as which an execution begins."""

    batch_id: str
    index: int
    kind: BatchKind = BatchKind.BATCH
    """Kind of the batch: an item of a replay or of a test run counts as no run."""

    @property
    def is_aside(self) -> bool:
        """Whether it is an item of a replay or of a test run."""
        return self.kind is not BatchKind.BATCH


class NewRun(Struct, frozen=True, kw_only=True):
    """Run that a caller asks for: its account, limits and notifications."""

    account_id: str
    source: str
    """Origin of the execution, a `Source`."""
    key_id: str
    """API key of the caller; empty for a session."""
    execution_id: str = field(default_factory=new_execution_id)
    terms: TierTerms | None = None
    """Limit of concurrent executions and price of credits; without, no node may be charged."""
    max_credits: int | None = None
    """Most credits that the run may spend; None: all that the balance allows."""
    notifier: str = ""
    """Channel to notify of the end; empty for none."""
    watcher: str | None = None
    """Channel of a watcher from the beginning; empty: record events without notification; None: do
    not record events."""
    webhook_url: str | None = None
    """URL of the key's webhook to notify of the end."""
    webhook: RunWebhook | None = None
    """Webhook that is told of the run in place of that one, and maybe of other events."""
    idempotency_key: IdempotencyKey | None = None
    answer: str = ""
    """Response to replay for the idempotency key, if already known."""
    authorization: SpeculativeAuthorization | None = None
    """Authorizes the call in the script that accepts the run; None: the call is authorized."""
    depth: int = 1
    """1, or one more than that of the run whose node makes the call."""
    request_id: str = ""
    """Id of the HTTP request, for readers of the record."""
    trace: str = ""
    """Header of the span above that of the execution, see `recorded_trace`; empty: no trace."""
    tags: tuple[str, ...] = ()
    """Tags of the execution, each once; those of a retried one come with its `Start`."""
    warnings: tuple[str, ...] = ()
    """Sentences about the request, for its caller and for readers of the record."""
    item: BatchItem | None = None
    """Item of a batch that begins with the run, which the id is made of too."""
    occurrence: NewOccurrence | None = None
    """Occurrence of a trigger that starts with the run, whose id is that of the occurrence."""
    turn: Turn = NO_TURN
    """Turn of the account, given back while objects are stored."""


class NewExecution(Struct, frozen=True, kw_only=True):
    """Execution to accept: a run with its plan and checked inputs."""

    run: NewRun
    plan: Plan
    inputs: Mapping[str, Any]
    packed_inputs: bytes
    """The inputs as `pack_inputs` returns them."""
    workflow: Workflow | None = None
    """None: the run is of a draft in `start`, or of the one model in the plan."""
    is_named_version: bool = False
    """Whether the caller named the version, which need not be the live one."""
    choice: Choice | None = None
    """Choice of the alias that named the version; None: none did, and `live` has no canary."""
    aliases_revision: int | None = None
    """Revision of the workflow's aliases that the version depends on; None: on none."""
    inner: InnerPlans = NO_PLANS
    """Plans of the workflows that the run may call, for its quote."""
    start: Start | None = None
    """State that the execution begins with; None: all nodes wait."""
    warnings: tuple[str, ...] = ()
    """Sentences for readers of the record."""

    @property
    def slug(self) -> str:
        """Slug of the workflow; empty for the run of a model."""
        if self.workflow is not None:
            return self.workflow.slug
        return "" if self.start is None else self.start.slug

    @property
    def owner_id(self) -> str:
        """Account of the workflow, if it is another one's; empty: the execution's own."""
        is_own = self.workflow is None or self.workflow.account_id == self.run.account_id
        return "" if is_own or self.workflow is None else self.workflow.account_id

    @property
    def version_kind(self) -> str | None:
        """Word for a version that need not be the live one of an own workflow."""
        if self.owner_id:
            return "foreign"
        if self.run.item is not None and self.run.item.is_aside:
            return "aside"
        return "named" if self.is_named_version else None

    @property
    def status_codes(self) -> str:
        """Codes of the statuses of the nodes in plan order."""
        if self.start is None:
            return initial_codes(self.plan)
        return format_node_statuses(self.start.statuses)

    @property
    def webhook(self) -> RunWebhook | None:
        """Webhook that is told of the execution; None: none is. Raises InvalidWebhook."""
        run = self.run
        if run.webhook is None:
            return RunWebhook(url=run.webhook_url) if run.webhook_url else None
        return run.webhook.for_foreign_workflow() if self.owner_id else run.webhook

    def check_webhook(self) -> None:
        """Raise InvalidWebhook for a webhook that may not be told of this workflow's nodes."""
        if self.owner_id and self.run.webhook is not None:
            self.run.webhook.for_foreign_workflow()

    @property
    def keys_of_start(self) -> DeliveryKeys:
        """Keys with which the acceptance opens the run's webhook, and tells one of the start."""
        run, webhook = self.run, self.webhook
        if webhook is None:
            return NO_DELIVERY_KEYS
        return webhook.keys_of_start(run.account_id, run.key_id, run.execution_id)

    @property
    def plan_digest(self) -> str:
        """Digest of the plan, to compare with that of a worker."""
        return digest_of(self.plan, is_of_version=self.workflow is not None)

    @property
    def has_objects(self) -> bool:
        """Whether objects are stored before the acceptance."""
        has_seeds = self.start is not None and self.start.store_objects is not None
        return has_seeds or is_large(len(self.packed_inputs)) or self.has_large_event

    @property
    def has_large_event(self) -> bool:
        """Whether the event that starts the run is one of them."""
        occurrence = self.run.occurrence
        return occurrence is not None and is_large(len(occurrence.event))

    @property
    def records_values(self) -> bool:
        """Whether the execution keeps its values, however it ends."""
        workflow = self.workflow
        return workflow is None or workflow.document.record_values is RecordValues.ALL

    def with_event(self, event: bytes) -> "NewExecution":
        """Return it with the event that starts it as it stands on record."""
        if self.run.occurrence is None:
            return self
        occurrence = replace(self.run.occurrence, event=event)
        return replace(self, run=replace(self.run, occurrence=occurrence))

    @property
    def inline_run(self) -> InlineRun | None:
        """The run to inline in the hint, if it may be walked before its claim."""
        run, workflow = self.run, self.workflow
        must_claim = bool(self.owner_id or self.webhook or run.watcher or self.start or run.item)
        if must_claim or workflow is None or not self.plan.is_pure:
            return None
        if len(self.packed_inputs) > MAX_CARRIED_BYTES:
            return None
        return InlineRun(slug=workflow.slug, version=workflow.version, inputs=self.packed_inputs)

    def charged_plan(self) -> Plan:
        """Return the plan with the models of the nodes that will run."""
        return self.plan if self.start is None else self.start.charged_part(self.plan)

    def make_quote(self) -> Quote | None:
        """Return the quote, None if nothing is charged. Raises what `credits.make_quote` raises."""
        run = self.run
        return make_quote(self.charged_plan(), run.terms, run.max_credits, self.inputs, self.inner)

    def record_fields(self, inputs: bytes, quote: Quote | None) -> dict[str, Argument]:
        """Return the first fields of the record, with inputs as they stand there.

        Versions, statuses and times are added by the script, and so are values for webhooks.
        """
        run, workflow = self.run, self.workflow
        fields: dict[str, Argument] = {
            "slug": self.slug,
            "source": run.source,
            "key": run.key_id,
            "notifier": run.notifier,
            "inputs": inputs,
            FIELD: self.plan_digest,
            "format": Format.EXECUTION.known,
            **({} if self.start is None else self.start.record_fields()),
            **({} if quote is None else _quote_fields(quote, self.charged_plan())),
            **initial_watch_fields(run.watcher),
        }
        if inputs is not self.packed_inputs:
            fields["has_objects"] = "1"
        if quote is None and run.max_credits is not None and self.plan.children:
            fields["cap"] = str(run.max_credits)  # its children may be charged
        if run.depth > 1:
            fields["depth"] = run.depth
        if self.owner_id:
            fields["owner"] = self.owner_id
        if run.request_id or run.trace or run.idempotency_key is not None:
            fields |= _request_fields(run)
        if run.item is not None or run.occurrence is not None:
            fields |= _cause_fields(run)
        if workflow is not None:
            fields |= _version_fields(workflow, self.choice)
        if run.tags:
            fields["tags"] = pack_tags(run.tags)
        if self.warnings:
            fields["warnings"] = pack(list(self.warnings))
        return fields


def _request_fields(run: NewRun) -> dict[str, Argument]:
    """Return the fields of the request that has begun the run."""
    fields: dict[str, Argument] = {"request": run.request_id} if run.request_id else {}
    if run.trace:
        fields["trace"] = run.trace
    if run.idempotency_key is not None:
        fields[FIRST_CALL] = run.idempotency_key.digest
    return fields


def _cause_fields(run: NewRun) -> dict[str, Argument]:
    """Return the fields of what has begun the run in place of a caller."""
    if run.item is not None:
        return {"batch": run.item.batch_id, "item": run.item.index}
    return {} if run.occurrence is None else run.occurrence.record_fields


def _version_fields(workflow: Workflow, choice: Choice | None) -> dict[str, Argument]:
    """Return the fields of a version, and of the alias that chose it with its canary."""
    fields: dict[str, Argument] = {}
    if workflow.document.record_values is not RecordValues.ALL:
        fields["values"] = workflow.document.record_values.value
    if choice is not None:
        fields[ALIAS] = choice.alias
        if choice.canary_id:
            fields[RELEASE] = choice.release
    return fields


def _quote_fields(quote: Quote, plan: Plan) -> dict[str, Argument]:
    models = ",".join(dict.fromkeys(plan.models.values()))
    fields: dict[str, Argument] = {"models": models, "markup": str(quote.markup)}
    if quote.trials:
        fields["trials"] = fields["tried"] = ",".join(quote.trials)
    if quote.max_credits is not None:
        fields["cap"] = str(quote.max_credits)
    return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Accepted execution, which will end after any crash. `created_at` is in milliseconds."""

    id: str
    created_at: int
    active: int = dataclass_field(compare=False)
    """Number of the account's executions that have not ended, this one included."""
    warnings: tuple[str, ...] = ()
    """Sentences for the caller."""


class StaleWorkflow(Struct, frozen=True):
    """The workflow has a newer version than the plan; it must be read again."""


class AlreadyRetried(Struct, frozen=True):
    """The failed execution has a retry already."""

    execution_id: str
    """The retry."""


class IdempotentReplay(Struct, frozen=True):
    """The idempotency key was used before."""

    idempotency_key: IdempotencyKey
    execution_id: str
    answer: str
    """Recorded answer; empty before the first response."""


class ItemRefused(Struct, frozen=True):
    """The item of a batch cannot begin now, or has begun or ended already."""

    reason: str
    """`cancelled`, `begun`, `full` for lack of room, or `later` for the rate of runs."""


class AuthorizationRejected(Struct, frozen=True):
    """The principal may differ from the assumed one, or the call is beyond the limit."""


RunVerdict = (
    Accepted
    | AlreadyRetried
    | IdempotentReplay
    | ItemRefused
    | OccurrenceRefused
    | AuthorizationRejected
)
"""Verdict on a run whose workflow is read again as often as it is saved concurrently."""
AcceptVerdict = RunVerdict | StaleWorkflow
