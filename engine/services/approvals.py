"""Answers of people to approvals: by the API, the command line or the link of an approval."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from engine.errors import ApprovalAnswered, ApprovalNotFound, InvalidInputs
from engine.executions.node_waits import Answer, Answerer, Decision, NodeWait, WaitKind
from engine.store import Store
from engine.store.waits.node_waits import AlreadyAnswered, Answered, WaitRef
from engine.values.fields import Field, check_inputs, check_types, parse_fields
from engine.values.plain import moment

MAX_FIELDS_BYTES = 65_536
"""Most bytes in JSON that the fields of an answer have together."""


class GivenAnswer(Struct, frozen=True):
    """Answer as a person gives it, with unchecked fields."""

    decision: Decision
    fields: Mapping[str, Any]
    note: str | None = None


class Approvals(Struct, frozen=True):
    """Finds approvals and takes their answers."""

    store: Store

    async def find(self, account_id: str, execution_id: str, node_id: str) -> NodeWait:
        """Return the approval of a node, open or not.

        Raises ExecutionNotFound or ApprovalNotFound.
        """
        for wait in await self.store.node_waits.of_execution(account_id, execution_id):
            if wait.node_id == node_id and wait.kind is WaitKind.APPROVAL:
                return wait
        await self.store.executions.facts(account_id, execution_id)
        raise ApprovalNotFound

    async def answer(self, wait: NodeWait, given: GivenAnswer, by: Answerer) -> Answer:
        """Answer an approval, by the form that it has; return the answer with its time.

        Of several answers at once, one counts. Raises ApprovalNotFound, ApprovalAnswered or
        InvalidInputs.
        """
        if wait.answer is not None:
            raise _answered(wait.answer)
        if not wait.is_open:
            raise ApprovalNotFound
        fields = check_answer(wait, given)
        answer = Answer(decision=given.decision, fields=fields, note=given.note, by=by)
        ref = WaitRef(wait.account_id, wait.execution_id, wait.node_index)
        match await self.store.node_waits.answer(ref, answer):
            case Answered(counted):
                return counted
            case AlreadyAnswered(first):
                raise _answered(first)
        raise ApprovalNotFound


def check_answer(wait: NodeWait, given: GivenAnswer) -> dict[str, Any]:
    """Return the fields of an answer: to approve, those of the form with its defaults.

    To refuse, none is required and each is checked for its type alone. Raises InvalidInputs.
    """
    form = form_of(wait)
    if given.decision is Decision.APPROVE:
        checked = check_inputs(form, given.fields, strict=True, allow_nul=False)
    else:
        checked = check_types(form, given.fields, allow_nul=False)
    sizes = {name: len(msgspec.json.encode(value)) for name, value in checked.items()}
    if sum(sizes.values()) > MAX_FIELDS_BYTES:
        reason = f"is too long: all fields together have at most {MAX_FIELDS_BYTES:,} bytes"
        raise InvalidInputs(max(sizes, key=sizes.__getitem__), reason)
    return checked


def form_of(wait: NodeWait) -> tuple[Field, ...]:
    """Return the form of an approval."""
    return parse_fields(list(wait.fields))


def _answered(answer: Answer) -> ApprovalAnswered:
    return ApprovalAnswered(answer.decision, moment(answer.at))
