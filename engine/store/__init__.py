"""The store: the only user of Redis for state, one small class per aggregate."""

from dataclasses import dataclass

from engine.access import tiers
from engine.access.sealing import Sealer
from engine.access.tiers import Tiers
from engine.errors import Unavailable
from engine.executions.filter import ExecutionFilter
from engine.models import registry
from engine.settings import Settings
from engine.store.accounts.account_events import AccountEventLog
from engine.store.accounts.accounts import Account, Accounts
from engine.store.accounts.api_keys import ApiKeys
from engine.store.accounts.ledger import Ledgers
from engine.store.accounts.principals import ApiKey, Principal, Session
from engine.store.accounts.rate_limits import RateWindows, Window
from engine.store.accounts.secrets import AccountSecrets, Secret
from engine.store.accounts.session_list import SessionList, SessionRecord
from engine.store.accounts.sessions import Sessions
from engine.store.accounts.speculation import SpeculativeAuthorization
from engine.store.accounts.usage import UsageLog, UsagePage
from engine.store.accounts.wallets import (
    LedgerEntry,
    LedgerKeeping,
    LedgerPage,
    TopUp,
    Wallet,
    Wallets,
)
from engine.store.archive.archive import Archive, NoArchive, OpenArchive
from engine.store.archive.state import ArchiverStates
from engine.store.audit import AuditEntry, AuditLog
from engine.store.dispatch.hints import HintSender
from engine.store.dispatch.worker_leases import Leases
from engine.store.executions.acceptance import ExecutionAcceptance
from engine.store.executions.checkpoints import Checkpoints
from engine.store.executions.events import ExecutionEvents
from engine.store.executions.executions import Executions
from engine.store.executions.new_execution import (
    Accepted,
    AcceptVerdict,
    AlreadyRetried,
    AuthorizationRejected,
    IdempotentReplay,
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
from engine.store.metrics.snapshots import Snapshots
from engine.store.models import ModelStore, SavedModel
from engine.store.redis.client import Client
from engine.store.redis.installation import Guard
from engine.store.seals import SealingKeyCheck
from engine.store.webhooks.deliveries import Deliveries
from engine.store.webhooks.redelivery import Redelivered, Redelivery
from engine.store.webhooks.webhooks import Webhook, Webhooks
from engine.store.workflows.covers import Covers
from engine.store.workflows.drafts import Draft, Drafts
from engine.store.workflows.list import WorkflowList
from engine.store.workflows.quota import document_limits
from engine.store.workflows.records import Workflow
from engine.store.workflows.summaries import WorkflowSummary
from engine.store.workflows.versions import Versions
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
    "CompletionNotifier",
    "CompletionWaiter",
    "Deliveries",
    "Draft",
    "Drafts",
    "ExecutionEvents",
    "ExecutionFilter",
    "Executions",
    "Governor",
    "HintSender",
    "IdempotentReplay",
    "Leases",
    "LedgerEntry",
    "LedgerPage",
    "ModelStore",
    "NewExecution",
    "NewRun",
    "OffloadedValues",
    "Orphans",
    "OutboundCalls",
    "Principal",
    "RateWindows",
    "Redelivered",
    "Redelivery",
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """All stores over one client. Every call may raise Unavailable or StoreFull."""

    guard: Guard
    client: Client
    hint_client: Client
    archive: Archive
    tiers: Tiers
    audit: AuditLog
    accounts: Accounts
    account_events: AccountEventLog
    api_keys: ApiKeys
    sessions: Sessions
    secrets: AccountSecrets
    rate_windows: RateWindows
    session_list: SessionList
    workflows: Workflows
    workflow_list: WorkflowList
    covers: Covers
    drafts: Drafts
    versions: Versions
    models: ModelStore
    acceptance: ExecutionAcceptance
    executions: Executions
    events: ExecutionEvents
    walks: Walks
    checkpoints: Checkpoints
    offloaded: OffloadedValues
    webhooks: Webhooks
    deliveries: Deliveries
    redelivery: Redelivery
    leases: Leases
    orphans: Orphans
    hints: HintSender
    snapshots: Snapshots
    seals: SealingKeyCheck
    outbound: OutboundCalls
    governor: Governor
    wallets: Wallets
    usage: UsageLog
    ledgers: Ledgers
    unarchived: UnarchivedExecutions
    assets: AssetRecords

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
        terms = tiers.load(settings.tiers_file)
        registry.use_folder(settings.models_dir)  # plans are compiled with the registry
        sealer = Sealer.from_secret_key(settings.secret_key)
        guard = Guard(settings.redis_url, sealer)
        client = Client(settings.redis_url, guard)
        hint_client = Client(settings.queue_url) if settings.queue_url else client
        hints = HintSender(hint_client)
        archive = open_archive(ArchiverStates(client).database_id)
        offloaded = OffloadedValues(client, blob_store or NoBlobStore(), archive)
        keeping = LedgerKeeping.from_settings(settings)
        versions = Versions(client, settings.retention_days)
        limits = document_limits(terms)
        workflows = Workflows(client, limits, versions)
        audit = AuditLog(client, settings.audit_days)
        sessions = Sessions(client, terms, audit)
        webhooks = Webhooks(client, sealer, audit)
        deliveries = Deliveries(client, hints, settings.retention_days, sealer, archive)
        return cls(
            guard=guard,
            client=client,
            hint_client=hint_client,
            archive=archive,
            tiers=terms,
            audit=audit,
            accounts=Accounts(client, audit),
            account_events=AccountEventLog(client),
            api_keys=ApiKeys(client, terms, audit),
            sessions=sessions,
            session_list=SessionList(client, sessions),
            secrets=AccountSecrets(client, sealer, audit),
            rate_windows=RateWindows(client),
            workflows=workflows,
            workflow_list=WorkflowList(client),
            covers=Covers(client),
            drafts=Drafts(client, limits),
            versions=versions,
            models=ModelStore(client, audit),
            acceptance=ExecutionAcceptance(
                client, hints, settings.retention_days, keeping, offloaded
            ),
            executions=Executions(client, hints, offloaded, archive),
            events=ExecutionEvents(client, archive),
            walks=Walks(client, hints),
            checkpoints=Checkpoints(client),
            offloaded=offloaded,
            webhooks=webhooks,
            deliveries=deliveries,
            redelivery=Redelivery(client, hints, deliveries, webhooks),
            leases=Leases(client),
            orphans=Orphans(client),
            hints=hints,
            snapshots=Snapshots(client),
            seals=SealingKeyCheck(client, sealer),
            outbound=OutboundCalls(client, terms),
            governor=Governor(client),
            wallets=Wallets(client, keeping, audit),
            usage=UsageLog(client, archive),
            ledgers=Ledgers(client, archive),
            unarchived=UnarchivedExecutions(client),
            assets=AssetRecords(
                client, terms, settings.asset_retention_days or settings.retention_days, archive
            ),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self.client.close()
        if self.hint_client is not self.client:
            await self.hint_client.close()
        await self.archive.close()

    async def ping(self) -> None:
        """Raise Unavailable when Redis does not answer."""
        try:
            await self.client.send("PING")
        except RuntimeError as error:
            raise Unavailable(str(error)) from error
