"""Answers to approvals by their links: whoever has a link may answer, once."""

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from starlette.responses import Response

from engine.access.approval_links import ApprovalPlace
from engine.errors import AccountNotFound, InvalidInputs
from engine.executions.node_waits import (
    MAX_NOTE,
    Answer,
    Answerer,
    AnswererKind,
    Decision,
    NodeWait,
    WaitKind,
)
from engine.store import Principal
from engine.store.waits.node_waits import Answered, WaitRef
from engine.values.fields import Field, check_inputs, parse_fields
from gateway.approvals.controls import PREFIX
from gateway.approvals.form import SentForm, parse_form
from gateway.approvals.page import NOTE, Filled, Question, notice_page, question_page
from gateway.http.json_bodies import run_off_loop
from gateway.http.middleware import BodyLimit
from gateway.http.request_bodies import read_bytes
from gateway.services import GatewayRequest

MAX_BYTES = 1_048_576
BODY_LIMIT = BodyLimit(MAX_BYTES, seconds=30.0)
NOWHERE = ApprovalPlace("acc_" + "0" * 32, "00000000-0000-4000-8000-000000000000", 0)
"""Place that a token without one is looked up at, so that all unknown links take the same time."""
UNKNOWN = (
    "This link leads to nothing",
    "It is not complete, or what it asked for was over some time ago.",
)
OVER = (
    "This is no longer asked for",
    "It was answered already, or its time is over. No further answer counts.",
)
DECIDED = {
    Decision.APPROVE: ("Approved", "Your answer is recorded, and the workflow goes on."),
    Decision.REFUSE: ("Refused", "Your answer is recorded, and the workflow takes its other way."),
}
LONG_NOTE = f"This must have at most {MAX_NOTE:,} characters."


async def show_question(request: GatewayRequest, token: str) -> Response:
    """Return the page of a link; looking at it decides nothing."""
    wait = await _find(request, token)
    if wait is None:
        return _unknown(request)
    if _is_over(wait):
        return notice_page(*OVER, 410)
    return question_page(_question(request, wait))


async def take_answer(request: GatewayRequest, token: str) -> Response:
    """Answer the approval of a link by the form in the body, and return the page that says so.

    Unknown and ended ones are refused before the body is read. Raises TooManyConnections,
    BodyTooLarge, Unavailable or ClientDisconnect.
    """
    wait = await _find(request, token)
    if wait is None:
        return _unknown(request)
    if _is_over(wait):
        return notice_page(*OVER, 410)
    try:
        await _begin_for(request, wait.account_id)
    except AccountNotFound:
        return _unknown(request)
    question = _question(request, wait)
    data = await read_bytes(request, MAX_BYTES)
    content_type = request.headers.get("content-type", "")
    sent = await run_off_loop(len(data), partial(_read, question.fields, content_type, data))
    if sent.filled.faults:
        return question_page(question, sent.filled)
    decision = Decision(sent.decision)
    answer = Answer(
        decision=decision,
        fields=sent.values,
        note=sent.note,
        by=Answerer(AnswererKind.LINK),
    )
    verdict = await request.services.store.node_waits.answer(_ref(wait), answer)
    if not isinstance(verdict, Answered):
        return notice_page(*OVER, 410)
    return notice_page(*DECIDED[decision], 200)


async def _find(request: GatewayRequest, token: str) -> NodeWait | None:
    """Return the approval of a link, open or over; None: there is none, or it is not hot."""
    services = request.services
    place = services.approval_links.read(token) or NOWHERE
    ref = WaitRef(place.account_id, place.execution_id, place.node_index)
    wait = await services.store.node_waits.find(ref)
    return wait if wait is not None and wait.kind is WaitKind.APPROVAL else None


async def _begin_for(request: GatewayRequest, account_id: str) -> None:
    """Count the request for the account of the approval: its slow answers keep no other out."""
    store = request.services.store
    account = await store.accounts.get(account_id)
    principal = Principal(account=account, terms=store.tiers.terms(account.tier, account.role))
    request.services.account_requests.begin(request.context, principal)


def _ref(wait: NodeWait) -> WaitRef:
    return WaitRef(wait.account_id, wait.execution_id, wait.node_index)


def _is_over(wait: NodeWait) -> bool:
    return not wait.is_open or wait.until <= time.time() * 1000


def _unknown(request: GatewayRequest) -> Response:
    request.services.failed_calls.count(request.scope)
    return notice_page(*UNKNOWN, 404)


def _question(request: GatewayRequest, wait: NodeWait) -> Question:
    return Question(
        host=_host(request),
        title=wait.title,
        message=wait.message,
        fields=parse_fields([dict(each) for each in wait.fields]),
    )


def _host(request: GatewayRequest) -> str:
    """Return the host of the installation, as its callers know it."""
    return urlsplit(request.services.settings.public_url or str(request.base_url)).netloc


def _read(fields: Sequence[Field], content_type: str, data: bytes) -> SentForm:
    """Parse a form and check it; the values of its fields are then those of the answer."""
    sent = parse_form(fields, content_type, data)
    values: dict[str, Any] = {}
    faults = dict(sent.filled.faults)
    is_approved = sent.decision == Decision.APPROVE
    for field in fields:
        name, given = field.name, sent.values
        checked = field if is_approved else Field(name=name, label=name, type=field.type)
        try:
            own = {name: given[name]} if name in given else {}
            values |= check_inputs([checked], own, strict=True)
        except InvalidInputs as error:
            faults.setdefault(PREFIX + name, f"This {error.context['reason']}.")
    if len(sent.note or "") > MAX_NOTE:
        faults[NOTE] = LONG_NOTE
    return replace(sent, values=values, filled=Filled(texts=sent.filled.texts, faults=faults))
