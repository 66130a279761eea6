"""The use case of an inbound event: verify, decide, start a run, and account for the outcome."""

import contextlib
import hashlib
from functools import partial
from typing import Any, NoReturn

from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

from engine.errors import (
    AccountNotApproved,
    EngineError,
    InvalidBody,
    InvalidEvent,
    TriggerNotFound,
    Unavailable,
    VersionNotFound,
    WorkflowNotFound,
    WorkflowNotRunnable,
)
from engine.ids.triggers import new_occurrence_id
from engine.services.runs.targets import SavedWorkflow
from engine.services.triggers.event_expressions import EventVerdict, judge_event
from engine.services.triggers.trigger_runs import GONE, count_occurrences, fail_reason, make_run
from engine.store import (
    Accepted,
    NewOccurrence,
    NewRecord,
    OccurrenceRefused,
    RunVerdict,
)
from engine.store.accounts.rate_limits import Window
from engine.store.triggers.starting import OccurrenceKind
from engine.triggers.occurrences import FailReason, Occurrence, OccurrenceStatus, SkipReason
from engine.triggers.trigger import Respond, TriggerKind
from gateway.hooks.answers import SKIPPED, UrlChallenge, answer_accepted, answer_repeated
from gateway.hooks.events import default_event_id, parse_event, recorded_event, slack_challenge
from gateway.hooks.intake import SignedEvent, take_event
from gateway.http.json_bodies import run_off_loop
from gateway.http.rate_limit_headers import apply_window
from gateway.http.request_bodies import forget_body
from gateway.http.responses import json_response
from gateway.runs.request import RunParameters, read_depth
from gateway.runs.waiter import PendingRunAnswer
from gateway.services import GatewayRequest


async def receive_event(request: GatewayRequest, token: str) -> Response | PendingRunAnswer:
    """Answer an event of an inbound webhook; most events start a run.

    Raises what `take_event` raises; LoopDetected, InvalidBody or InvalidEvent; and what
    `Acceptance.accept` raises.
    """
    signed = await take_event(request, token)
    depth = read_depth(request)
    headers, query = request.scope["headers"], request.scope["query_string"]
    parse = partial(parse_event, signed.settings.verify, headers, query, signed.data)
    outcome = _Outcome(request, signed)
    try:
        event = await run_off_loop(len(signed.data), parse)
    except InvalidBody as error:
        await outcome.fail(error, b"")
    challenge = slack_challenge(signed.settings.verify, event.body)
    if challenge is not None:
        return json_response(UrlChallenge(challenge))
    packed = await run_off_loop(len(signed.data), lambda: recorded_event(event).pack())
    try:
        verdict = await _judge(request, signed, event.values())
    except EngineError as error:
        await outcome.fail(error, packed)
    if not verdict.is_wanted:
        await outcome.skip(packed)
        return json_response(SKIPPED)
    return await _EventRun(request, signed, outcome, packed, depth, verdict).start()


async def _judge(
    request: GatewayRequest, signed: SignedEvent, values: dict[str, Any]
) -> EventVerdict:
    """Return the outcome of the trigger's expressions. Raises Unavailable."""
    expressions, account_id = request.services.checker.expressions, signed.principal.account.id
    verify, headers = signed.settings.verify, request.scope["headers"]
    default_id = default_event_id(verify, headers, values["body"])
    settings, size, window = signed.settings, len(signed.data), signed.hook.window
    if window is not None and window.is_refused and not (settings.when or settings.event_id):
        return EventVerdict(is_wanted=True, inputs={}, event_id=default_id, problems=[])
    return await judge_event(expressions, account_id, settings, values, default_id, size=size)


class _Outcome:
    """Occurrence of an event, and the record of one that starts no run."""

    def __init__(self, request: GatewayRequest, signed: SignedEvent) -> None:
        self._request = request
        self._signed = signed
        self.occurrence_id = new_occurrence_id()
        self._shows_window = False

    def show(self, window: Window | None) -> None:
        """Note the headers of the account's window of runs, once.

        Raises RateLimitExceeded beyond its limit; None: there is none.
        """
        if window is not None and not self._shows_window:
            self._shows_window = True
            apply_window(self._request.scope, self._signed.principal.terms, window)

    async def skip(self, packed: bytes) -> None:
        """Record an event that the condition does not want. Raises TriggerNotFound."""
        record = await self._record(OccurrenceStatus.SKIPPED, SkipReason.CONDITION_FALSE, packed)
        account_id = self._signed.principal.account.id
        refused = await self._request.services.store.occurrences.record_event(account_id, record)
        if refused is not None:
            raise TriggerNotFound
        count_occurrences(TriggerKind.WEBHOOK, OccurrenceStatus.SKIPPED, SkipReason.CONDITION_FALSE)

    async def fail(self, error: EngineError, packed: bytes) -> NoReturn:
        """Record the error for which an event starts no run, and raise it.

        The record counts as a call in the account's window of runs. Raises RateLimitExceeded
        instead beyond it; while the store is away, the error alone is told.
        """
        reason = FailReason.INVALID_INPUTS if isinstance(error, InvalidBody) else fail_reason(error)
        record = await self._record(OccurrenceStatus.FAILED, reason, packed)
        principal, occurrences = self._signed.principal, self._request.services.store.occurrences
        refused = None
        with contextlib.suppress(Unavailable):
            refused = await occurrences.record_event(principal.account.id, record, principal.terms)
            if refused is None:
                count_occurrences(TriggerKind.WEBHOOK, OccurrenceStatus.FAILED, reason)
        if refused is not None:
            self.refuse(refused)
        self.show(self._signed.hook.window)
        raise error

    def refuse(self, refused: OccurrenceRefused) -> NoReturn:
        """Raise the error of a refused occurrence: RateLimitExceeded or TriggerNotFound."""
        self.show(refused.window)
        raise TriggerNotFound

    async def _record(
        self, status: OccurrenceStatus, reason: SkipReason | FailReason, packed: bytes
    ) -> NewRecord:
        """Return the record, with the event where the workflow keeps the values of its runs."""
        hook = self._signed.hook
        occurrence = Occurrence(
            id=self.occurrence_id,
            trigger_id=hook.trigger.id,
            at=hook.now,
            status=status,
            reason=reason.value,
        )
        return NewRecord(occurrence, packed if packed and await self._keeps_values() else b"")

    async def _keeps_values(self) -> bool:
        trigger = self._signed.hook.trigger
        slug, version = trigger.settings.slug, trigger.settings.version
        with contextlib.suppress(Unavailable):
            workflows = self._request.services.store.workflows
            return await workflows.records_values(trigger.account_id, slug, version)
        return False


class _EventRun(Struct, frozen=True):
    """Run of an event that no condition refuses."""

    request: GatewayRequest
    signed: SignedEvent
    outcome: _Outcome
    packed: bytes
    depth: int
    verdict: EventVerdict

    async def start(self) -> Response | PendingRunAnswer:
        """Accept the run, and answer as the trigger says. Raises EngineError."""
        hook, request = self.signed.hook, self.request
        event_id = self.verdict.event_id
        occurrence = NewOccurrence(
            id=self.outcome.occurrence_id,
            trigger_id=hook.trigger.id,
            at=hook.now,
            kind=OccurrenceKind.EVENT,
            event=self.packed,
            event_digest=hashlib.sha256(event_id.encode()).hexdigest() if event_id else "",
        )
        if hook.window is not None and hook.window.is_refused:
            repeated = await self._find_first(occurrence)
            if repeated is not None:
                return answer_repeated(request, repeated.execution_id)
            self.outcome.show(hook.window)
        parameters = self._parameters(self.verdict.inputs)
        if not parameters.awaits_end:
            accepted = await self._accept(occurrence, parameters)
            return self._answer(occurrence, accepted)
        pending = PendingRunAnswer(
            request, self.signed.principal, occurrence.execution_id, parameters
        )
        try:
            accepted = await self._accept(occurrence, parameters)
            if isinstance(accepted, Accepted):
                pending.warnings = accepted.warnings
                self.outcome.show(hook.window)
                return pending
        except BaseException:
            pending.discard()
            raise
        pending.discard()
        return self._answer(occurrence, accepted)

    def _parameters(self, inputs: dict[str, Any]) -> RunParameters:
        is_waited_for = self.signed.settings.respond is Respond.RESULT
        return RunParameters(
            inputs=inputs,
            body_bytes=len(self.signed.data),
            depth=self.depth,
            wait_seconds=self.request.services.settings.sync_timeout if is_waited_for else 0,
            max_credits=self.signed.hook.trigger.settings.max_credits,
        )

    async def _accept(self, occurrence: NewOccurrence, parameters: RunParameters) -> RunVerdict:
        """Accept the run; a refusal is on record. Raises EngineError."""
        try:
            verdict = await self._try(occurrence, parameters)
        except EngineError as error:
            repeated = await self._find_first(occurrence)
            if repeated is None:
                await self.outcome.fail(error, self.packed)
            return repeated
        if isinstance(verdict, Accepted):
            count_occurrences(TriggerKind.WEBHOOK, OccurrenceStatus.STARTED)
            self.request.context.execution_id = verdict.id
            forget_body(self.request)
        return verdict

    async def _try(self, occurrence: NewOccurrence, parameters: RunParameters) -> RunVerdict:
        services, hook = self.request.services, self.signed.hook
        for first in self.verdict.problems[:1]:
            raise InvalidEvent(first.name, first.reason)
        if not hook.account.approved:
            raise AccountNotApproved
        services.backlog.check()
        trigger = hook.trigger
        async with services.fairness.turn(hook.account.id) as turn:
            run = replace(
                await make_run(services.store, trigger, occurrence, hook.terms, parameters.depth),
                notifier=services.notifier.channel if parameters.awaits_end else "",
                request_id=self.request.context.request_id,
                trace=self.request.context.trace_header,
                turn=turn,
            )
            target = SavedWorkflow(services.store, trigger.settings.slug, trigger.settings.version)
            runner = partial(run_off_loop, parameters.body_bytes)
            try:
                return await services.acceptance.accept(run, target, parameters.inputs, runner)
            except (WorkflowNotFound, VersionNotFound):
                raise WorkflowNotRunnable([{"reason": GONE}]) from None

    async def _find_first(self, occurrence: NewOccurrence) -> OccurrenceRefused | None:
        """Return the refusal of an event that has started a run, whatever has changed since."""
        if not occurrence.event_digest:
            return None
        with contextlib.suppress(Unavailable):
            return await self.request.services.store.occurrences.find_repeated(
                self.signed.hook.account.id, occurrence.trigger_id, occurrence.event_digest
            )
        return None

    def _answer(self, occurrence: NewOccurrence, verdict: RunVerdict) -> Response:
        match verdict:
            case Accepted():
                self.outcome.show(self.signed.hook.window)
                return answer_accepted(verdict.id, occurrence.id)
            case OccurrenceRefused(reason="repeated"):
                self.outcome.show(self.signed.hook.window)
                return answer_repeated(self.request, verdict.execution_id)
            case OccurrenceRefused():
                self.outcome.refuse(verdict)
        raise TypeError("the acceptance of an event has another verdict")
