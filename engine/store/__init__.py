"""The store: the only user of Redis for state, one small class per aggregate."""

from dataclasses import dataclass

from engine import tiers
from engine.errors import Unavailable
from engine.models import registry
from engine.sealing import Sealer
from engine.settings import Settings
from engine.store.accepting import Accepted, NotPassed, Repeated, StaleWorkflow
from engine.store.accounts import Account, Accounts
from engine.store.api_keys import Ahead, ApiKeys
from engine.store.asides import Asides, NoShelf, Shelf
from engine.store.assets import Asset, Assets
from engine.store.bell import Bell, Ring
from engine.store.client import Client
from engine.store.deliveries import Deliveries
from engine.store.events import Events
from engine.store.execution_scan import ExecutionFilter
from engine.store.executions import Executions
from engine.store.governor import Governor
from engine.store.hints import HintSender
from engine.store.installation import Guard
from engine.store.leases import Leases
from engine.store.limits import Window
from engine.store.models import Models, SavedModel
from engine.store.orphans import Orphans
from engine.store.outbound import Outbound
from engine.store.principals import ApiKey, Principal, Session
from engine.store.results import Hold
from engine.store.seals import Seals
from engine.store.sessions import Sessions
from engine.store.snapshots import Snapshots
from engine.store.usage import UsageLog, UsagePage
from engine.store.versions import Versions
from engine.store.walks import Walks
from engine.store.wallets import Entry, LedgerPage, TopUp, Wallet, Wallets
from engine.store.webhooks import Webhook, Webhooks
from engine.store.workflows import Workflow, Workflows
from engine.tiers import Tiers

__all__ = [
    "Accepted",
    "Ahead",
    "Account",
    "Accounts",
    "ApiKey",
    "ApiKeys",
    "Asides",
    "Asset",
    "Assets",
    "Bell",
    "Deliveries",
    "Entry",
    "Events",
    "ExecutionFilter",
    "Executions",
    "Governor",
    "HintSender",
    "Hold",
    "Leases",
    "LedgerPage",
    "Models",
    "NotPassed",
    "Orphans",
    "Outbound",
    "Principal",
    "Repeated",
    "Ring",
    "SavedModel",
    "Seals",
    "Session",
    "Sessions",
    "StaleWorkflow",
    "Snapshots",
    "Store",
    "TopUp",
    "UsageLog",
    "UsagePage",
    "Wallet",
    "Wallets",
    "Versions",
    "Walks",
    "Webhook",
    "Webhooks",
    "Window",
    "Workflow",
    "Workflows",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """All aggregates over one connection layer. Every call may raise Unavailable or StoreFull."""

    guard: Guard
    client: Client
    hint_client: Client
    tiers: Tiers
    accounts: Accounts
    api_keys: ApiKeys
    sessions: Sessions
    workflows: Workflows
    versions: Versions
    models: Models
    executions: Executions
    events: Events
    walks: Walks
    asides: Asides
    webhooks: Webhooks
    deliveries: Deliveries
    leases: Leases
    orphans: Orphans
    hints: HintSender
    snapshots: Snapshots
    seals: Seals
    outbound: Outbound
    governor: Governor
    wallets: Wallets
    usage: UsageLog
    assets: Assets

    @classmethod
    def open(cls, settings: Settings, shelf: Shelf | None = None) -> "Store":
        """A store over the settings' Redis; connects with the first command.

        Without a shelf, values too large for a record can be neither written nor read.
        Raises SettingError when the settings' tiers or secret key are not right.
        """
        terms = tiers.load(settings.tiers_file)
        registry.use_folder(settings.models_dir)  # plans are compiled with it
        sealer = Sealer.of(settings.secret_key)
        guard = Guard(settings.redis_url, sealer)
        client = Client(settings.redis_url, guard)
        hint_client = Client(settings.queue_url) if settings.queue_url else client
        hints = HintSender(hint_client)
        asides = Asides(client, shelf or NoShelf())
        versions = Versions(client, settings.retention_days)
        return cls(
            guard=guard,
            client=client,
            hint_client=hint_client,
            tiers=terms,
            accounts=Accounts(client),
            api_keys=ApiKeys(client, terms),
            sessions=Sessions(client, terms),
            workflows=Workflows(client, terms, versions),
            versions=versions,
            models=Models(client),
            executions=Executions(client, hints, settings.retention_days, asides),
            events=Events(client),
            walks=Walks(client, hints),
            asides=asides,
            webhooks=Webhooks(client, sealer),
            deliveries=Deliveries(client, hints, settings.retention_days, sealer),
            leases=Leases(client),
            orphans=Orphans(client),
            hints=hints,
            snapshots=Snapshots(client),
            seals=Seals(client, sealer),
            outbound=Outbound(client, terms),
            governor=Governor(client),
            wallets=Wallets(client, settings.retention_days),
            usage=UsageLog(client),
            assets=Assets(client, terms, settings.asset_retention_days or settings.retention_days),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self.client.close()
        if self.hint_client is not self.client:
            await self.hint_client.close()

    async def ping(self) -> None:
        """Raises Unavailable when Redis does not answer."""
        try:
            await self.client.send("PING")
        except RuntimeError as error:
            raise Unavailable(str(error)) from error
