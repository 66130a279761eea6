"""Checks of a trigger's settings before they are saved."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from engine.errors import (
    AssetNotFound,
    InvalidInputs,
    InvalidTrigger,
    Unavailable,
    VersionNotFound,
    WorkflowNotFound,
    WorkflowNotRunnable,
)
from engine.graph.plan import Plan
from engine.media.ids import is_asset_id
from engine.net.header_policy import NAME as HEADER
from engine.services.expressions import Expressions
from engine.services.media import MediaService
from engine.services.runs.run_inputs import asset_fault, find_linked
from engine.services.runs.targets import Runnable, find_workflow
from engine.services.triggers.event_expressions import check_expressions
from engine.store import Asset, Store
from engine.store.triggers.asset_references import asset_reference
from engine.store.triggers.triggers import SINCE_SCHEMA
from engine.store.webhooks.run_webhooks import RunWebhook
from engine.triggers.cron import parse_cron
from engine.triggers.trigger import HookSettings, TriggerSettings, TriggerWebhook
from engine.values.fields import MEDIA, check_inputs

NOT_MIGRATED = (
    "Triggers need the store's new schema: the operator runs `headrace migrate` once all processes "
    "of the version before are gone"
)
MAX_SHOWN = 64
"""Most characters of a name that an error repeats."""


def check_schema(store: Store) -> None:
    """Raise Unavailable while processes may run that begin no due times."""
    if not store.schema.allows(SINCE_SCHEMA):
        raise Unavailable(NOT_MIGRATED)


class TriggerChecks(Struct, frozen=True, kw_only=True):
    """Checks the settings of triggers."""

    store: Store
    media_service: MediaService
    expressions: Expressions
    allow_http: bool
    """Media inputs may have plain `http` URLs."""

    async def check(
        self,
        account_id: str,
        trigger_id: str,
        settings: TriggerSettings,
        former: TriggerSettings | None = None,
    ) -> None:
        """Check settings; of those that replace former ones, what has changed.

        So a trigger whose workflow or secret is gone can still be renamed and disabled. The trigger
        keeps the assets that its inputs name. Raises InvalidTrigger, InvalidWebhook and
        Unavailable.
        """
        if settings.schedule is not None:
            parse_cron(settings.schedule.cron, settings.schedule.timezone)
        hook = settings.hook
        if hook is not None and (former is None or former.hook != hook):
            await self._check_secret(account_id, hook)
            await self._check_expressions(account_id, hook)
        if former is None or _run_of(former) != _run_of(settings):
            await self._check_run(account_id, trigger_id, settings)

    async def _check_secret(self, account_id: str, hook: HookSettings) -> None:
        verify = hook.verify
        if verify.header and HEADER.fullmatch(verify.header) is None:
            raise InvalidTrigger("verify.header", "'verify.header' is no valid name of a header")
        if not verify.secret:
            return
        hosts = await self.store.secrets.hosts(account_id, {verify.secret})
        if hosts[verify.secret] is None:
            reason = f"The account has no secret '{verify.secret}'"
            raise InvalidTrigger("verify.secret", reason)

    async def _check_expressions(self, account_id: str, hook: HookSettings) -> None:
        for field, fault in await check_expressions(self.expressions, account_id, hook):
            raise InvalidTrigger(field, f"'{field}': {fault}")

    async def _check_run(self, account_id: str, trigger_id: str, settings: TriggerSettings) -> None:
        """Check the workflow, and that its runs may have the inputs and the webhook."""
        runnable = await self._find_workflow(account_id, settings)
        _check_webhook(account_id, runnable, settings.webhook)
        if settings.schedule is not None:
            _check_names(runnable.plan, settings.schedule.inputs)
            inputs, reference = settings.schedule.inputs, asset_reference(trigger_id)
            await self._check_inputs(runnable.plan, account_id, inputs, reference)
        if settings.hook is not None and settings.hook.inputs is not None:
            _check_names(runnable.plan, settings.hook.inputs)
            _check_required(runnable.plan, settings.hook.inputs)

    async def _find_workflow(self, account_id: str, settings: TriggerSettings) -> Runnable:
        slug, version = settings.slug, settings.version
        try:
            return await find_workflow(self.store, account_id, slug, fresh=True, version=version)
        except WorkflowNotFound:
            reason = f"There is no workflow '{slug}' that you may run"
            if version is not None:
                reason = f"You have no workflow '{slug}' with versions to choose from"
            raise InvalidTrigger("workflowSlug", reason) from None
        except VersionNotFound:
            reason = f"The workflow '{slug}' has no version {version}, or it is not kept any more"
            raise InvalidTrigger("version", reason) from None
        except WorkflowNotRunnable as error:
            reason = f"The workflow '{slug}' cannot run: {error.message}"
            raise InvalidTrigger("workflowSlug", reason) from None

    async def check_event(
        self, account_id: str, settings: TriggerSettings, inputs: Mapping[str, Any]
    ) -> None:
        """Check that an event with these inputs could start a run. Raises InvalidTrigger."""
        runnable = await self._find_workflow(account_id, settings)
        await self._check_inputs(runnable.plan, account_id, inputs)

    async def _check_inputs(
        self, plan: Plan, account_id: str, raw: Mapping[str, Any], reference: str = ""
    ) -> None:
        """Check inputs as at a run; with a reference, keep the assets that they name."""
        media = [each for each in plan.fields if each.type in MEDIA]
        links = {each.name: raw.get(each.name) for each in media}
        linked = {
            name: asset_id
            for name, link in links.items()
            if (asset_id := self.media_service.linked(link))
        }
        try:
            inputs = check_inputs(
                plan.fields,
                {**raw, **linked},
                strict=plan.strict_inputs,
                allow_http=self.allow_http,
                allow_assets=True,
                allow_nul=not plan.has_expressions,
            )
            for each in media:
                if is_asset_id(value := inputs.get(each.name)):
                    link = links[each.name] if each.name in linked else None
                    asset = await self._find_asset(account_id, value, link, reference)
                    if reason := asset_fault(each, asset, link):
                        raise InvalidInputs(each.name, reason)
        except InvalidInputs as error:
            field = f"inputs.{error.context['field'][:MAX_SHOWN]}"
            raise InvalidTrigger(field, error.message) from None

    async def _find_asset(
        self, account_id: str, asset_id: str, link: str | None, reference: str
    ) -> Asset | None:
        """Return the asset that a run would use, None without one; `link` is the given one."""
        try:
            if reference:
                await self.store.assets.retain(account_id, asset_id, reference)
            return await self.media_service.get(account_id, asset_id)
        except AssetNotFound:
            return await find_linked(self.media_service, link)


def _run_of(settings: TriggerSettings) -> tuple[Any, ...]:
    """Return the settings that the check of a run depends on."""
    schedule, hook = settings.schedule, settings.hook
    inputs = schedule.inputs if schedule is not None else hook and hook.inputs
    return settings.slug, settings.version, settings.webhook, inputs


def _check_webhook(account_id: str, runnable: Runnable, webhook: TriggerWebhook | None) -> None:
    workflow = runnable.workflow
    if webhook is None or workflow is None or workflow.account_id == account_id:
        return
    RunWebhook(url=webhook.url, events=webhook.events, is_own=True).for_foreign_workflow()


def _check_names(plan: Plan, inputs: Mapping[str, Any]) -> None:
    """Raise InvalidTrigger for an input without a field: it would be ignored in every run."""
    known = {each.name for each in plan.fields}
    for name in inputs:
        if name not in known:
            shown = name[:MAX_SHOWN]
            reason = f"The workflow has no field '{shown}'"
            raise InvalidTrigger(f"inputs.{shown}", reason)


def _check_required(plan: Plan, inputs: Mapping[str, str]) -> None:
    """Raise InvalidTrigger for a field without which no event could start a run."""
    for each in plan.fields:
        if each.required and each.default is None and each.name not in inputs:
            reason = f"The workflow requires the field '{each.name}'; no expression is for it"
            raise InvalidTrigger(f"inputs.{each.name}", reason)
