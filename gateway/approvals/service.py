"""Answers to approvals by their links: the holder of a link may answer, once."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

from starlette.responses import Response

from engine.access.approval_links import ApprovalPlace
from engine.errors import AccountNotFound, ApprovalAnswered, ApprovalNotFound, InvalidInputs
from engine.executions.node_waits import (
    MAX_NOTE,
    Answerer,
    AnswererKind,
    Decision,
    NodeWait,
    WaitKind,
)
from engine.services.approvals import GivenAnswer, form_of
from engine.store import Principal
from engine.store.waits.node_waits import WaitRef
from engine.values.fields import Field, check_inputs, check_types
from gateway.approvals.controls import PREFIX
from gateway.approvals.form import SentForm, parse_form
from gateway.approvals.page import NOTE, Question, notice_page, question_page
from gateway.http.json_bodies import run_off_loop
from gateway.http.middleware import BodyLimit
from gateway.http.request_bodies import read_bytes
from gateway.services import GatewayRequest

MAX_BYTES = 262_144
"""A form may be thrice as long as its values in JSON, of which `engine.services.approvals` has the
limit."""
BODY_LIMIT = BodyLimit(MAX_BYTES, seconds=30.0)
NOWHERE = ApprovalPlace("acc_" + "0" * 32, "00000000-0000-4000-8000-000000000000", 0)
"""Place that a token without one is looked up at, so that all unknown links take the same time."""
UNKNOWN = (
    "This link leads to nothing",
    "It is not complete, or what it asked for was over some time ago.",
)
OVER = (
    "This is no longer asked for",
    "It was answered already, or its time is over. If you pressed a button twice, only the first "
    "press can have counted.",
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
    if await _is_over(request, wait):
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
    if await _is_over(request, wait):
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
    given = GivenAnswer(Decision(sent.decision), sent.values, sent.note)
    try:
        await request.services.approvals.answer(wait, given, Answerer(AnswererKind.LINK))
    except (ApprovalAnswered, ApprovalNotFound):
        return notice_page(*OVER, 410)
    except InvalidInputs as error:
        return question_page(question, sent.filled.with_faults(_fault(error)))
    return notice_page(*DECIDED[given.decision], 200)


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


async def _is_over(request: GatewayRequest, wait: NodeWait) -> bool:
    return not wait.is_open or wait.until <= await request.services.store.leases.now()


def _unknown(request: GatewayRequest) -> Response:
    request.services.failed_calls.count(request.scope)
    return notice_page(*UNKNOWN, 404)


def _question(request: GatewayRequest, wait: NodeWait) -> Question:
    return Question(
        host=_host(request),
        title=wait.title,
        message=wait.message,
        fields=form_of(wait),
    )


def _host(request: GatewayRequest) -> str:
    """Return the host of the installation, as its callers know it."""
    return urlsplit(request.address).netloc


def _read(fields: Sequence[Field], content_type: str, data: bytes) -> SentForm:
    """Parse a form and check each of its fields, so that all faults are known at once."""
    sent = parse_form(fields, content_type, data)
    check = partial(check_inputs, strict=True) if sent.decision == Decision.APPROVE else check_types
    faults: dict[str, str] = {}
    for field in fields:
        own = {name: value for name, value in sent.values.items() if name == field.name}
        try:
            check([field], own, allow_nul=False)
        except InvalidInputs as error:
            faults |= _fault(error)
    if len(sent.note or "") > MAX_NOTE:
        faults[NOTE] = LONG_NOTE
    return replace(sent, filled=sent.filled.with_faults(faults))


def _fault(error: InvalidInputs) -> dict[str, str]:
    """Return the fault of a field, by its name in the form."""
    return {f"{PREFIX}{error.context['field']}": f"This {error.context['reason']}."}
