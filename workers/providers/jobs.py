"""Jobs at providers: submitted once, polled at growing intervals, cancelled when abandoned.

A job's id is on record before it is polled, so that a worker that takes over the node continues
polling. The record has `id` while there is a job, and the number of rounds that have failed before
it, which is part of the next call's key. Where the provider takes no key, `submitting` is on record
from before the submit until its outcome is known: a worker that finds it cannot know whether a job
has begun.
"""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import BAD_RESPONSE, NodeFailed
from engine.models.calls.provider_jobs import ROUND, SUBMITTING, failed_rounds
from engine.models.dialects.http import JOB, HttpSection, JobSection
from engine.models.manifest import Model
from engine.telemetry import metrics
from engine.values.templates import Template
from workers.providers.answers.errors import (
    REJECTED,
    TIMEOUT,
    UNKNOWN,
    ProviderNotFound,
    bad_response,
)
from workers.providers.base import CallContext
from workers.providers.provider_client import ProviderClient

FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 10.0
GROWTH = 1.25
"""The end of a job is noticed late by at most a quarter of its time and half a second."""
SUBMIT_SECONDS = 120.0
POLL_SECONDS = 30.0
"""Time-out of one poll."""
CANCEL_SECONDS = 2.0
MAX_RETRY_AFTER_SECONDS = 60.0
"""Longest pause between polls that a provider can ask for."""
MAX_ID = 500
MAX_UNREADABLE = 3
"""This many answers in a row that are 404 or unreadable end the polling."""

log = logging.getLogger(__name__)


def next_pause(pause: float, retry_after: float = 0.0) -> float:
    """Return the next pause in seconds; longer where the provider asks for it."""
    return max(min(pause * GROWTH, MAX_PAUSE_SECONDS), min(retry_after, MAX_RETRY_AFTER_SECONDS))


async def run_job(
    section: HttpSection,
    job: JobSection,
    values: Mapping[str, Any],
    client: ProviderClient,
    call: CallContext,
) -> Any:
    """Run a job and return the answer that has the result. Raises NodeFailed."""
    job_call = _JobCall(section=section, job=job, values=values, client=client, call=call)
    return await job_call.run()


def refuse_unknown_job(model: Model, call: CallContext) -> None:
    """Raise NodeFailed when a job may have begun already and must not begin twice."""
    section = model.call
    if not isinstance(section, HttpSection) or section.job is None or not _may_have_begun(call):
        return
    if section.job.resubmit or _takes_key(section, call):
        return
    _count_unknown("failed", call)
    message = "The provider may have begun the job, but its answer was lost, so its id is not known"
    raise NodeFailed(UNKNOWN, message)


def _may_have_begun(call: CallContext) -> bool:
    """Return whether an earlier submit has begun whose outcome is not on record."""
    return isinstance(call.job, dict) and bool(call.job.get(SUBMITTING))


def _takes_key(section: HttpSection, call: CallContext) -> bool:
    """Return whether the provider runs calls of one key once."""
    return bool(section.endpoint.idempotency_header and call.key)


def _count_unknown(outcome: str, call: CallContext) -> None:
    metrics.PROVIDER_JOBS_UNKNOWN.labels(outcome).inc()
    log.warning("a job may have begun unknown to us", extra={"model": call.model, "then": outcome})


class _Tolerance:
    """Tolerates answers that are 404 or unreadable, up to a number in a row."""

    def __init__(self) -> None:
        self._count = 0

    def reset(self) -> None:
        """Start counting again after a valid answer."""
        self._count = 0

    def count_failure(self, failure: NodeFailed) -> None:
        """Count a failure that may be temporary. Raises any other failure."""
        if not isinstance(failure, ProviderNotFound) and failure.code != BAD_RESPONSE:
            raise failure
        self._count += 1
        if self._count >= MAX_UNREADABLE:
            raise failure


async def cancel_job(
    job: JobSection, job_id: str, client: ProviderClient, values: Mapping[str, Any]
) -> None:
    """Ask the provider once to cancel a job. Raises NodeFailed and TimeoutError."""
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
            if self._must_cancel:
                await self._cancel(job_id)
            if self.call.is_late:
                message = "The provider's job did not end in the node's time"
                raise NodeFailed(TIMEOUT, message, retryable=True) from None
            raise

    @property
    def _must_cancel(self) -> bool:
        """Whether nothing goes on with the job; one without a cancel path is left to a retry."""
        return self.call.is_given_up and self.job.cancel_path is not None

    async def _submit(self) -> str:
        """Submit the job and return its id.

        A call that is stopped meanwhile waits for the answer for a short time: to record the id for
        the next attempt or a retry of the execution, or to cancel the job.
        """
        submitted = asyncio.create_task(self._send())
        try:
            return await asyncio.shield(submitted)
        except asyncio.CancelledError:
            await asyncio.wait([submitted], timeout=CANCEL_SECONDS)
            submitted.cancel()
            [value] = await asyncio.gather(submitted, return_exceptions=True)
            if isinstance(value, str) and self._must_cancel:
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
            # The node's new worker cannot know of this job, unless its key identifies it.
            if not _takes_key(self.section, self.call):
                with contextlib.suppress(NodeFailed, TimeoutError):
                    await cancel_job(self.job, job_id, self.client, self.values)
            raise

    async def _await_result(self, job_id: str) -> Any:
        try:
            reply = await self._poll(job_id)
        except NodeFailed as failure:
            if not failure.retryable:  # else the next attempt polls this job
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
                    tolerance.count_failure(failure)
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
                tolerance.count_failure(failure)
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
            return  # the job ends by itself

    async def _save(self, record: Mapping[str, Any]) -> None:
        await self.call.save_job({**record, ROUND: failed_rounds(self.call.job)})

    async def _forget(self) -> None:
        await self.call.save_job({ROUND: failed_rounds(self.call.job) + 1})

    def _path(self, template: Template, job_id: str) -> str:
        return template.render_url({**self.values, JOB: job_id})
