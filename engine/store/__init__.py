"""The store: the only user of Redis for state, one small class per aggregate."""

from engine.access.sealing import Sealer
from engine.access.tiers import load as load_tiers
from engine.errors import Unavailable
from engine.executions.filter import ExecutionFilter
from engine.ids import partitions
from engine.models import registry
from engine.settings import Settings
from engine.store.accounts.account_events import AccountEventLog
from engine.store.accounts.accounts import Account, Accounts
from engine.store.accounts.api_keys import ApiKeys
from engine.store.accounts.ledger import Ledgers
from engine.store.accounts.oauth.clients import OAuthClients
from engine.store.accounts.oauth.grant_codes import GrantCodes
from engine.store.accounts.oauth.grant_requests import GrantRequests
from engine.store.accounts.principals import ApiKey, Principal, Session
from engine.store.accounts.rate_limits import RateWindows, Window
from engine.store.accounts.secrets import AccountSecrets, Secret
from engine.store.accounts.session_list import SessionList, SessionRecord
from engine.store.accounts.sessions import Sessions
from engine.store.accounts.speculation import SpeculativeAuthorization
from engine.store.accounts.tool_calls import ToolCalls
from engine.store.accounts.usage import UsageLog, UsagePage
from engine.store.accounts.wallets import (
    LedgerEntry,
    LedgerKeeping,
    LedgerPage,
    TopUp,
    Wallet,
    Wallets,
)
from engine.store.archive.archive import OpenArchive
from engine.store.archive.no_archive import NoArchive
from engine.store.archive.state import ArchiverStates
from engine.store.audit import AuditEntry, AuditLog
from engine.store.batches.batches import Batches
from engine.store.batches.feeding import BatchFeeding
from engine.store.batches.records import Batch, BatchAccepted, BatchRetried, NewBatch, NewItem
from engine.store.batches.run_lists import RunLists
from engine.store.children.groups import Children
from engine.store.dispatch.gateway_leases import GatewayLeases
from engine.store.dispatch.hints import HintSender
from engine.store.dispatch.oldest_hint import OldestHint
from engine.store.dispatch.worker_leases import Leases
from engine.store.executions.acceptance import ExecutionAcceptance
from engine.store.executions.caller_waits import CallerWaits
from engine.store.executions.checkpoints import Checkpoints
from engine.store.executions.ended import Ends
from engine.store.executions.events import ExecutionEvents
from engine.store.executions.executions import Executions
from engine.store.executions.new_execution import (
    Accepted,
    AcceptVerdict,
    AlreadyRetried,
    AuthorizationRejected,
    IdempotentReplay,
    ItemRefused,
    NewExecution,
    NewRun,
    RunVerdict,
    StaleWorkflow,
)
from engine.store.executions.notifier import CompletionNotifier, CompletionWaiter
from engine.store.executions.offload import BlobStore, NoBlobStore, OffloadedValues
from engine.store.executions.orphans import Orphans
from engine.store.executions.read.results import ReserveMemory
from engine.store.executions.unarchived import UnarchivedExecutions
from engine.store.executions.walks import Walks
from engine.store.limits.governor import Governor
from engine.store.limits.outbound import OutboundCalls
from engine.store.media import Asset, AssetRecords
from engine.store.metrics.last_hour import LastHour
from engine.store.metrics.snapshots import Snapshots
from engine.store.models import ModelStore, SavedModel
from engine.store.redis.address import RedisAddress
from engine.store.redis.cluster.opening import open_client, open_guard
from engine.store.releases.aliases import WorkflowAliases
from engine.store.releases.canaries import Canaries
from engine.store.schema import StoreSchema
from engine.store.seals import SealingKeyCheck
from engine.store.triggers.hooks import FoundHook, Hooks
from engine.store.triggers.occurrences import HookEvent, NewRecord, Occurrences
from engine.store.triggers.starting import NewOccurrence, OccurrenceRefused
from engine.store.triggers.triggers import ReplaceRefusal, Triggers
from engine.store.waits.node_waits import NodeWaits
from engine.store.waits.parked import ParkedExecutions
from engine.store.webhooks.deliveries import Deliveries
from engine.store.webhooks.redelivery import Redelivered, Redelivery
from engine.store.webhooks.webhooks import Webhook, Webhooks
from engine.store.workflows.callers import WorkflowCallers
from engine.store.workflows.covers import Covers
from engine.store.workflows.drafts import Draft, Drafts
from engine.store.workflows.list import WorkflowList
from engine.store.workflows.quota import document_limits
from engine.store.workflows.records import Workflow
from engine.store.workflows.summaries import WorkflowSummary
from engine.store.workflows.versions import Versions
from engine.store.workflows.workflow_tests import WorkflowTests
from engine.store.workflows.workflows import Workflows

__all__ = [
    "AcceptVerdict",
    "Accepted",
    "Account",
    "AccountSecrets",
    "Accounts",
    "AlreadyRetried",
    "ApiKey",
    "ApiKeys",
    "Asset",
    "AssetRecords",
    "AuditEntry",
    "AuditLog",
    "AuthorizationRejected",
    "Batch",
    "BatchAccepted",
    "BatchFeeding",
    "BatchRetried",
    "Batches",
    "Children",
    "CompletionNotifier",
    "CompletionWaiter",
    "Deliveries",
    "Draft",
    "Drafts",
    "ExecutionEvents",
    "ExecutionFilter",
    "Executions",
    "FoundHook",
    "Governor",
    "HintSender",
    "Hooks",
    "IdempotentReplay",
    "ItemRefused",
    "HookEvent",
    "Leases",
    "LedgerEntry",
    "LedgerPage",
    "ModelStore",
    "NewBatch",
    "NewExecution",
    "NewItem",
    "NewOccurrence",
    "NewRecord",
    "NewRun",
    "OccurrenceRefused",
    "Occurrences",
    "OffloadedValues",
    "Orphans",
    "OutboundCalls",
    "Principal",
    "RateWindows",
    "Redelivered",
    "Redelivery",
    "ReplaceRefusal",
    "ReserveMemory",
    "RunVerdict",
    "SavedModel",
    "SealingKeyCheck",
    "Secret",
    "Session",
    "SessionList",
    "SessionRecord",
    "Sessions",
    "Snapshots",
    "SpeculativeAuthorization",
    "StaleWorkflow",
    "Store",
    "TopUp",
    "Triggers",
    "UsageLog",
    "UsagePage",
    "Versions",
    "Walks",
    "Wallet",
    "Wallets",
    "Webhook",
    "Webhooks",
    "Window",
    "Workflow",
    "WorkflowList",
    "WorkflowSummary",
    "Workflows",
]


class Store:
    """All stores over one client. Every call may raise Unavailable or StoreFull."""

    def __init__(
        self, settings: Settings, blob_store: BlobStore, open_archive: OpenArchive
    ) -> None:
        registry.use_folder(settings.models_dir)  # plans are compiled with the registry
        sealer = Sealer.from_secret_key(settings.secret_key)
        self.tiers = load_tiers(settings.tiers_file)
        self.address = RedisAddress.of_state(settings)
        self.guard = open_guard(self.address, sealer)
        self.client = open_client(self.address, self.guard)
        self.hint_client = (
            open_client(RedisAddress.of_queue(settings)) if settings.queue_url else self.client
        )
        self.hints = HintSender(self.hint_client)
        self.archive = open_archive(ArchiverStates(self.client).database_id)
        self.audit = AuditLog(self.client, settings.audit_days)
        self.offloaded = OffloadedValues(self.client, blob_store, self.archive)
        self.seals = SealingKeyCheck(self.client, sealer)
        self.schema = StoreSchema(self.client, self.guard)
        self._make_accounts(sealer)
        self._make_credits(LedgerKeeping.from_settings(settings))
        self._make_workflows(settings)
        self._make_executions(settings)
        self._make_webhooks(settings, sealer)
        self._make_triggers(sealer)
        self._make_operations()

    @classmethod
    def open(
        cls,
        settings: Settings,
        blob_store: BlobStore | None = None,
        open_archive: OpenArchive = NoArchive,
    ) -> "Store":
        """Open a store by the settings; the first command connects.

        Without a blob store, values too large for a record can be neither written nor read; without
        an archive, executions that Redis has forgotten cannot be read. Raises SettingError when the
        settings' tiers or secret key are invalid.
        """
        return cls(settings, blob_store or NoBlobStore(), open_archive)

    def _make_accounts(self, sealer: Sealer) -> None:
        client = self.client
        self.accounts = Accounts(client, self.audit)
        self.account_events = AccountEventLog(client)
        self.api_keys = ApiKeys(client, self.tiers, self.audit)
        self.sessions = Sessions(client, self.tiers, self.audit)
        self.session_list = SessionList(client, self.sessions)
        self.secrets = AccountSecrets(client, sealer, self.audit)
        self.rate_windows = RateWindows(client)
        self.outbound = OutboundCalls(client, self.tiers)
        self.tool_calls = ToolCalls(client)
        self.oauth_clients = OAuthClients(client)
        self.grant_requests = GrantRequests(client)
        self.grant_codes = GrantCodes(client, self.tiers, self.accounts, self.api_keys)

    def _make_credits(self, keeping: LedgerKeeping) -> None:
        self.wallets = Wallets(self.client, keeping, self.audit)
        self.usage = UsageLog(self.client, self.archive)
        self.ledgers = Ledgers(self.client, self.archive)

    def _make_workflows(self, settings: Settings) -> None:
        client, limits = self.client, document_limits(self.tiers)
        self.versions = Versions(client, settings.retention_days)
        self.workflows = Workflows(client, limits, self.versions)
        self.aliases = WorkflowAliases(client, limits)
        self.workflow_list = WorkflowList(client)
        self.workflow_callers = WorkflowCallers(client)
        self.drafts = Drafts(client, limits)
        self.workflow_tests = WorkflowTests(client, limits, self.schema)
        self.covers = Covers(client)
        self.models = ModelStore(client, self.audit)
        asset_days = settings.asset_retention_days or settings.retention_days
        self.assets = AssetRecords(client, self.tiers, asset_days, self.archive)

    def _make_executions(self, settings: Settings) -> None:
        client, ends = self.client, Ends()
        self.ends = ends
        self.acceptance = ExecutionAcceptance(
            client,
            self.hints,
            settings.retention_days,
            LedgerKeeping.from_settings(settings),
            self.offloaded,
        )
        self.executions = Executions(client, self.hints, ends, self.offloaded, self.archive)
        self.batches = Batches(client, self.offloaded, self.archive)
        self.lists = RunLists(client, self.offloaded)
        self.feeding = BatchFeeding(client, self.batches.chunks)
        keeping = LedgerKeeping.from_settings(settings)
        self.children = Children(client, self.hints, ends, self.offloaded, keeping)
        self.node_waits = NodeWaits(client, self.hints, self.audit)
        self.events = ExecutionEvents(client, self.archive)
        self.walks = Walks(client, self.hints, ends)
        self.checkpoints = Checkpoints(client)
        self.unarchived = UnarchivedExecutions(client)
        self.parked = ParkedExecutions(client)
        self.orphans = Orphans(client)
        days = settings.retention_days
        self.caller_waits = CallerWaits(client, self.hints, self.schema, self.api_keys, days)

    def _make_webhooks(self, settings: Settings, sealer: Sealer) -> None:
        client, hints = self.client, self.hints
        days = settings.retention_days
        self.webhooks = Webhooks(client, sealer, self.audit)
        self.deliveries = Deliveries(client, hints, days, sealer, self.archive)
        self.redelivery = Redelivery(client, hints, self.deliveries, self.webhooks)
        self.canaries = Canaries(client, hints, days)

    def _make_triggers(self, sealer: Sealer) -> None:
        client = self.client
        self.triggers = Triggers(client, sealer, self.audit)
        self.occurrences = Occurrences(client, self.offloaded, self.archive)
        self.hooks = Hooks(client, self.tiers, self.triggers, self.secrets)

    def _make_operations(self) -> None:
        self.leases = Leases(self.client)
        self.oldest_hint = OldestHint(self.client, self.hints)
        self.gateway_leases = GatewayLeases(self.client)
        self.governor = Governor(self.client)
        self.snapshots = Snapshots(self.client)
        self.last_hour = LastHour(self.client)
        self.archiver_states = ArchiverStates(self.client)

    async def close(self) -> None:
        """Close all connections."""
        await self.client.close()
        if self.hint_client is not self.client:
            await self.hint_client.close()
        await self.archive.close()

    async def learn_partitions(self) -> None:
        """Learn the number of partitions, which the first connection reads. Raises Unavailable."""
        if partitions.known() is None:
            await self.ping()

    async def ping(self) -> None:
        """Raise Unavailable when Redis does not answer."""
        try:
            await self.client.send("PING")
        except RuntimeError as error:
            raise Unavailable(str(error)) from error
