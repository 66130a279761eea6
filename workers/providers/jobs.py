"""A job at a provider: submitted once, asked after at growing pauses, cancelled when given up.

Its id is on record before anybody asks after it, so whoever takes the node over goes on asking.
What is on record: `id` while there is a job, and how many calls were in vain before it, which the
key of the next one tells. Where the provider takes no key, `submitting` is on record from before
the submit until its outcome is known: a worker that finds it does not know whether a job has begun.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine import metrics
from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.models.dialects.http import JOB, HttpSection, JobSection
from engine.models.manifest import Model
from engine.values.templates import Template
from workers.providers.base import CallContext
from workers.providers.errors import REJECTED, TIMEOUT, UNKNOWN, ProviderNotFound, bad_response
from workers.providers.provider_client import ProviderClient

FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 10.0
GROWTH = 1.25
"""So an end is seen a quarter of the job's time late at most, and half a second."""
SUBMIT_SECONDS = 120.0
POLL_SECONDS = 30.0
"""For one question after a job."""
CANCEL_SECONDS = 2.0
MAX_RETRY_AFTER_SECONDS = 60.0
"""A provider that asks for a longer pause between questions is asked after this one."""
MAX_ID = 500
MAX_UNREADABLE = 3
"""This many answers in a row that are 404 or cannot be read end the questions after a job."""
ROUND = "round"
"""The member of a record that says how many calls were in vain."""
SUBMITTING = "submitting"
"""The member of a record that says that a submit has begun."""

log = logging.getLogger(__name__)


def next_pause(pause: float, retry_after: float = 0.0) -> float:
    """The pause after this one, in seconds; longer where the provider asks for it."""
    return max(min(pause * GROWTH, MAX_PAUSE_SECONDS), min(retry_after, MAX_RETRY_AFTER_SECONDS))


async def run_job(
    section: HttpSection,
    job: JobSection,
    values: Mapping[str, Any],
    client: ProviderClient,
    call: CallContext,
) -> Any:
    """The answer that has the result. Raises NodeFailed."""
    model_call = _JobCall(section=section, job=job, values=values, client=client, call=call)
    return await model_call.run()


def can_cancel(model: Model | None, record: Any) -> bool:
    """Whether the job on record is to be cancelled when nobody comes back for it.

    Its id must be all that this takes, for the inputs are not on record beside it.
    """
    if model is None or not isinstance(model.call, HttpSection) or model.call.job is None:
        return False
    path = model.call.job.cancel_path
    has_job = isinstance(record, dict) and record.get("id") is not None
    return has_job and path is not None and path.names <= {JOB}


def failed_rounds(record: Any) -> int:
    """How many calls were in vain before the one that the record is of."""
    return int(record.get(ROUND, 0)) if isinstance(record, dict) else 0


def refuse_unknown_job(model: Model, call: CallContext) -> None:
    """Raises NodeFailed where a job may have begun already and must not begin twice."""
    section = model.call
    if not isinstance(section, HttpSection) or section.job is None or not _may_have_begun(call):
        return
    if section.job.resubmit or _takes_key(section, call):
        return
    _count_unknown("failed", call)
    message = "The provider may have begun the job, but its answer was lost, so its id is not known"
    raise NodeFailed(UNKNOWN, message)


def _may_have_begun(call: CallContext) -> bool:
    """Whether an earlier submit has begun whose outcome is not on record."""
    return isinstance(call.job, dict) and bool(call.job.get(SUBMITTING))


def _takes_key(section: HttpSection, call: CallContext) -> bool:
    """Whether the provider does a call of one key once, however often it is made."""
    return bool(section.endpoint.idempotency_header and call.key)


def _count_unknown(outcome: str, call: CallContext) -> None:
    metrics.PROVIDER_JOBS_UNKNOWN.labels(outcome).inc()
    log.warning("a job may have begun unknown to us", extra={"model": call.model, "then": outcome})


class _Tolerance:
    """Takes answers that are 404 or unreadable, until there are too many in a row."""

    def __init__(self) -> None:
        self._count = 0

    def reset(self) -> None:
        """A good answer has come."""
        self._count = 0

    def take(self, failure: NodeFailed) -> None:
        """Return when it is worth asking again. Raises the failure otherwise."""
        if not isinstance(failure, ProviderNotFound) and failure.code != BAD_RESPONSE:
            raise failure
        self._count += 1
        if self._count >= MAX_UNREADABLE:
            raise failure


async def cancel_job(
    job: JobSection, job_id: str, client: ProviderClient, values: Mapping[str, Any]
) -> None:
    """Ask once for a job to be cancelled. Raises NodeFailed and TimeoutError."""
    if job.cancel_path is not None:
        async with asyncio.timeout(CANCEL_SECONDS):
            path = job.cancel_path.render_url({**values, JOB: job_id})
            await client.fetch(job.cancel_method, path, seconds=CANCEL_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _JobCall:
    section: HttpSection
    job: JobSection
    values: Mapping[str, Any]
    client: ProviderClient
    call: CallContext

    async def run(self) -> Any:
        job_id = self.call.job["id"] if self.call.is_under_way else None
        seconds = self.section.endpoint.timeout_seconds
        try:
            async with asyncio.timeout(seconds):
                if job_id is None:
                    job_id = await self._submit()
                return await self._await_result(job_id)
        except TimeoutError:
            await self._cancel(job_id)
            message = f"The provider's job did not end within {seconds:g} s"
            raise NodeFailed(TIMEOUT, message, retryable=True) from None
        except asyncio.CancelledError:
            if self.call.is_given_up:
                await self._cancel(job_id)
            if self.call.is_late:
                message = "The provider's job did not end in the node's time"
                raise NodeFailed(TIMEOUT, message, retryable=True) from None
            raise

    async def _submit(self) -> str:
        """The job's id.

        A call that is stopped meanwhile waits for the answer for a moment: to put the id on record
        for whoever takes the node over, or to cancel the job.
        """
        submitted = asyncio.create_task(self._send())
        try:
            return await asyncio.shield(submitted)
        except asyncio.CancelledError:
            if not self.call.is_given_up or self.job.cancel_path is not None:
                await asyncio.wait([submitted], timeout=CANCEL_SECONDS)
            submitted.cancel()
            [value] = await asyncio.gather(submitted, return_exceptions=True)
            if isinstance(value, str) and self.call.is_given_up:
                await self._cancel(value)
            raise

    async def _send(self) -> str:
        path, body = self.section.request(self.values)
        method = self.section.method
        must_record = not _takes_key(self.section, self.call)
        if _may_have_begun(self.call):
            _count_unknown("resubmitted", self.call)
        if must_record:
            await self._save({SUBMITTING: True})
        try:
            reply = await self.client.fetch_json(
                method, path, body, key=self.call.key, seconds=SUBMIT_SECONDS
            )
        except NodeFailed as failure:
            if must_record and not failure.may_have_arrived:
                await self._save({})
            raise
        job_id = self.job.id.first(reply)
        if isinstance(job_id, bool) or not isinstance(job_id, str | int):
            raise bad_response("has no id of a job")
        if not 0 < len(str(job_id)) <= MAX_ID:
            raise bad_response("has no id of a job")
        await self._record(str(job_id))
        return str(job_id)

    async def _record(self, job_id: str) -> None:
        try:
            await self._save({"id": job_id})
        except NodeFailed:
            # Whoever has the node now cannot know of this job; one with a key it would be given.
            if not _takes_key(self.section, self.call):
                with contextlib.suppress(NodeFailed, TimeoutError):
                    await cancel_job(self.job, job_id, self.client, self.values)
            raise

    async def _await_result(self, job_id: str) -> Any:
        try:
            reply = await self._poll(job_id)
        except NodeFailed as failure:
            if not failure.retryable:  # else the next attempt goes on asking after this job
                await self._cancel(job_id)
            raise
        if self._has_failed(reply):
            await self._forget()
            raise NodeFailed(REJECTED, self.client.explain("The provider's job failed", reply))
        if self.job.result_path is None:
            return reply
        try:
            return await self._fetch_result(self._path(self.job.result_path, job_id))
        except NodeFailed as failure:
            if not failure.retryable:
                await self._forget()
            raise

    async def _poll(self, job_id: str) -> Any:
        pause, path = FIRST_PAUSE_SECONDS, self._path(self.job.path, job_id)
        ended, tolerance = self.job.done | self.job.failed, _Tolerance()
        while True:
            await self.call.model_call.checkpoints.pause(pause)
            pause = next_pause(pause)
            try:
                reply = await self.client.fetch_json("GET", path, seconds=POLL_SECONDS)
            except NodeFailed as failure:
                if not failure.retryable:
                    tolerance.take(failure)
                pause = next_pause(pause, failure.retry_after)
                continue
            tolerance.reset()
            if self._status(reply) in ended:
                return reply
            self._publish_progress(reply)

    async def _fetch_result(self, path: str) -> Any:
        pause, tolerance = FIRST_PAUSE_SECONDS, _Tolerance()
        while True:
            try:
                return await self.client.fetch_json("GET", path)
            except NodeFailed as failure:
                if failure.retryable:
                    raise
                tolerance.take(failure)
            await self.call.model_call.checkpoints.pause(pause)
            pause = next_pause(pause)

    def _status(self, reply: Any) -> str:
        return str(self.job.status.first(reply))

    def _has_failed(self, reply: Any) -> bool:
        return self._status(reply) in self.job.failed or self._has_error(reply)

    def _has_error(self, reply: Any) -> bool:
        return self.job.error is not None and bool(self.job.error.first(reply))

    def _publish_progress(self, reply: Any) -> None:
        value = self.job.progress.first(reply) if self.job.progress else None
        if not isinstance(value, bool) and isinstance(value, int | float):
            self.call.model_call.publish_progress(
                min(max(value / 100 if value > 1 else value, 0.0), 1.0)
            )

    async def _cancel(self, job_id: str | None) -> None:
        if job_id is None:
            return
        try:
            async with asyncio.timeout(CANCEL_SECONDS):
                await cancel_job(self.job, job_id, self.client, self.values)
                await self._forget()
        except (NodeFailed, TimeoutError):
            return  # it was worth a try; the job ends by itself

    async def _save(self, record: Mapping[str, Any]) -> None:
        await self.call.save_job({**record, ROUND: failed_rounds(self.call.job)})

    async def _forget(self) -> None:
        await self.call.save_job({ROUND: failed_rounds(self.call.job) + 1})

    def _path(self, template: Template, job_id: str) -> str:
        return template.render_url({**self.values, JOB: job_id})
