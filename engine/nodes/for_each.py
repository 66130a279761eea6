"""For Each: runs a part of the graph, or another workflow, for each item of a list."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.executions.batches import ItemStatus
from engine.nodes.support.base import Outputs
from engine.nodes.support.children import (
    ALWAYS_FAILS,
    DEFAULT_CONCURRENCY,
    INDEX,
    INVALID_INPUTS,
    MAX_CONCURRENCY,
    MAX_ITEMS,
    CalleeInterface,
    ChildrenNode,
    ChildrenSettings,
    ChildrenSpec,
    ChildResult,
    OnItemError,
    check_shared,
    input_sockets,
    raise_failure,
)
from engine.nodes.support.children_settings import BODY, VERSION, called_workflow, read_callee
from engine.nodes.support.settings import Faults, choice, text, whole
from engine.values.fields import Field
from engine.values.plain import kind_of
from engine.values.sockets import Socket, SocketType

RESULTS_OUT = "results-out"
ERRORS_OUT = "errors-out"
WORKFLOW = called_workflow()
OVER = text("over", "Field that takes the item; without it, the first one.", widget="field")
CONCURRENCY = whole(
    "concurrency",
    "Items that run at a time.",
    1,
    MAX_CONCURRENCY,
    default=DEFAULT_CONCURRENCY,
)
ON_ITEM_ERROR = choice(
    "onItemError",
    "Effect of an item that failed: fail the node, give null for it, or leave it out.",
    tuple(OnItemError),
    default=OnItemError.FAIL,
)


class ForEach(ChildrenNode):
    """Starts a child for each item of the list at the socket `over`."""

    type = "forEach"
    category = "Control"
    label = "For Each"
    description = "Runs its body, or another workflow, for each item of a list."
    members = (BODY, WORKFLOW, VERSION, OVER, CONCURRENCY, ON_ITEM_ERROR)

    def read(self, data: Mapping[str, Any], faults: Faults) -> ChildrenSettings:
        callee = read_callee(WORKFLOW, data, faults)
        body = BODY.read(data, faults)
        if callee is None and body is None:
            faults.add_rule("A For Each needs a body or a workflow", "body")
        elif callee is not None and body is not None:
            faults.add_rule("A For Each has a body or a workflow, not both", "workflow")
        return ChildrenSettings(
            callee=callee,
            body=body,
            over=OVER.read(data, faults) or None,
            concurrency=CONCURRENCY.read(data, faults),
            on_item_error=ON_ITEM_ERROR.read(data, faults),
        )

    def connect(
        self, settings: ChildrenSettings, interface: CalleeInterface, faults: Faults
    ) -> ChildrenSettings:
        connected = replace(settings, interface=interface)
        if interface.is_exact:
            names = [field.name for field in interface.fields]
            if not names:
                faults.add_rule("The Request Input has no field that takes the item", "over")
            elif settings.over is not None and settings.over not in names:
                faults.add_rule(f"over: there is no field '{settings.over}'", "over")
        return connected

    def inputs(self, settings: ChildrenSettings) -> Mapping[str, Socket]:
        sockets = input_sockets(settings.interface)
        if settings.interface is None or not settings.interface.is_exact:
            return sockets
        over = _over(settings, settings.interface.fields)
        for name in (INDEX, over):
            if name in sockets:
                sockets[name] = replace(sockets[name], required=name == over)
        return sockets

    def outputs(self, settings: ChildrenSettings) -> Mapping[str, Socket]:
        return dict.fromkeys((RESULTS_OUT, ERRORS_OUT), Socket(type=SocketType.ANY))

    def begin(
        self, settings: ChildrenSettings, inputs: Mapping[str, Any], fields: Sequence[Field]
    ) -> ChildrenSpec:
        over = _over(settings, fields)
        if over not in {field.name for field in fields}:
            raise NodeFailed(INVALID_INPUTS, f"There is no field '{over}' that takes the item")
        with_index = INDEX not in inputs and _has_index(fields)
        others = {name: value for name, value in inputs.items() if name != over}
        shared = check_shared(settings, fields, others, (over, *([INDEX] * with_index)))
        return ChildrenSpec(
            shared=shared,
            over=over,
            items=_read_items(over, inputs.get(over)),
            with_index=with_index,
            concurrency=settings.concurrency,
            on_item_error=settings.on_item_error,
        )

    def sample(
        self, settings: ChildrenSettings, inputs: Mapping[str, Any], fields: Sequence[Field]
    ) -> Mapping[str, Any]:
        over = _over(settings, fields)
        items = inputs.get(over)
        item = next(iter(items), None) if isinstance(items, list) else None
        return {**inputs, over: item}

    def estimate_outputs(
        self,
        settings: ChildrenSettings,
        inputs: Mapping[str, Any],
        unknown: Collection[str] = (),
    ) -> Outputs:
        items = inputs.get(_over(settings, settings.interface.fields if settings.interface else ()))
        if not isinstance(items, list) or settings.on_item_error is OnItemError.SKIP:
            return {}
        return {RESULTS_OUT: [None] * len(items)}

    def collect(self, settings: ChildrenSettings, results: Sequence[ChildResult]) -> Outputs:
        failure = _find_failure(settings, results)
        if failure is not None:
            raise_failure(results[failure], f"Item {failure}: ")
        ends = enumerate(results)
        errors = [
            {"index": index, **(each.error or {})} for index, each in ends if not _is_done(each)
        ]
        is_kept = settings.on_item_error is OnItemError.NULL
        values = [each.value for each in results if is_kept or _is_done(each)]
        return {RESULTS_OUT: values, ERRORS_OUT: errors}


def _is_done(result: ChildResult) -> bool:
    return result.status is ItemStatus.COMPLETED


def _find_failure(settings: ChildrenSettings, results: Sequence[ChildResult]) -> int | None:
    """Return the index of the child that fails the node; None: none does.

    A failure counts before the children that were cancelled because of it.
    """
    fails_all = settings.on_item_error is OnItemError.FAIL
    codes = [None if each.error is None else each.error["code"] for each in results]
    for wanted in (
        (index for index, code in enumerate(codes) if code in ALWAYS_FAILS),
        (index for index, code in enumerate(codes) if fails_all and code is not None),
        (index for index, each in enumerate(results) if not _is_done(each) and each.error is None),
    ):
        if (found := next(wanted, None)) is not None:
            return found
    return None


def _over(settings: ChildrenSettings, fields: Sequence[Field]) -> str:
    """Return the name of the field that takes the item; empty: there is no field."""
    return settings.over or next((field.name for field in fields), "")


def _has_index(fields: Sequence[Field]) -> bool:
    return any(field.name == INDEX for field in fields)


def _read_items(over: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        message = f"Input '{over}': must be a list, not {kind_of(value)}"
        raise NodeFailed(INVALID_INPUTS, message)
    if len(value) > MAX_ITEMS:
        message = f"Input '{over}': has {len(value)} items; at most {MAX_ITEMS} are allowed"
        raise NodeFailed(INVALID_INPUTS, message)
    return value
