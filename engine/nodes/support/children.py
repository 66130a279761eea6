"""Nodes that start children: executions of a body, or of another workflow."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

from msgspec import Struct

from engine.errors import InvalidInputs, MaxCreditsExceeded
from engine.errors.nodes import REPLAY_UNMATCHED, NodeFailed
from engine.executions.batches import ItemStatus
from engine.nodes.support.base import NO_MEDIA, Context, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import Faults
from engine.values.fields import SOCKETS, Field, FieldType, check_inputs
from engine.values.sockets import Socket, SocketType

INVALID_INPUTS = "invalid_inputs"
"""Code of a node whose values do not fit the fields of its children."""
OUTPUT_MISSING = "output_missing"
"""Code of a node whose wired output the called workflow has no more."""
CANCELLED = "cancelled"
"""Code of a node whose child was cancelled, though neither its run nor another child ended it."""
MAX_ITEMS = 10_000
MAX_CONCURRENCY = 100
DEFAULT_CONCURRENCY = 10
INDEX = "index"
"""Field that gets the number of the item, unless it is wired."""
ALWAYS_FAILS = frozenset({MaxCreditsExceeded.code, REPLAY_UNMATCHED})
"""Codes of items that fail the node whatever `onItemError` says."""


class OnItemError(StrEnum):
    """Effect of an item that failed."""

    FAIL = "fail"
    """The node fails."""
    NULL = "null"
    """The item's result is null."""
    SKIP = "skip"
    """The results leave the item out."""


class Callee(NamedTuple):
    """Workflow that a node calls, one of the account that owns the node's workflow."""

    workflow: str
    """Slug."""
    version: int | None = None
    """None: the live version when the node begins."""

    def __str__(self) -> str:
        """Return the call as the index of callers has it."""
        return self.workflow if self.version is None else f"{self.workflow}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalleeInterface:
    """Inputs and named outputs of a body or of a called workflow."""

    fields: tuple[Field, ...] = ()
    has_result: bool = True
    outputs: tuple[str, ...] = ()
    """Named outputs; none: there is one result."""
    is_exact: bool = True
    """False: the names are those of the wires alone, since the workflow may change."""
    has_approval: bool = False
    """An `approval` is in the workflow, or in one that it calls over any number of steps."""


def wired_interface(inputs: Iterable[str], outputs: Iterable[str]) -> CalleeInterface:
    """Return the interface of a workflow of which only the wires of its caller are known."""
    fields = (Field(name=name, label=name, type=FieldType.JSON) for name in inputs)
    return CalleeInterface(fields=tuple(fields), outputs=tuple(outputs), is_exact=False)


class ChildrenSpec(Struct, frozen=True, kw_only=True):
    """Children of one node: their inputs and how they run."""

    shared: Mapping[str, Any]
    """Inputs of each child."""
    over: str | None = None
    """Field that takes the item; None: there is one child."""
    items: Sequence[Any] | None = None
    with_index: bool = False
    """The field `index` gets the number of the item, from 0."""
    concurrency: int = 1
    """Children that run at a time."""
    on_item_error: OnItemError = OnItemError.FAIL


class ChildResult(Struct, frozen=True, kw_only=True):
    """End of one child."""

    status: ItemStatus
    value: Any = None
    """Plain result of a completed child."""
    error: Mapping[str, str] | None = None
    """`code` and `message` of a failed child."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildrenSettings:
    """Settings of both types; a node has a body or calls a workflow."""

    callee: Callee | None = None
    body: Mapping[str, Any] | None = None
    """Members `nodes` and `edges`, as in a document."""
    over: str | None = None
    concurrency: int = 1
    on_item_error: OnItemError = OnItemError.FAIL
    interface: CalleeInterface | None = None
    """None: not connected yet."""
    wired: frozenset[str] = frozenset()
    """Outputs with edges."""


class ChildrenNode(NodeType):
    """Node type whose nodes start children and wait for them; the worker never calls `run`."""

    kind = WorkKind.CHILDREN
    is_dynamic = True
    since_schema = 2
    takes_retry = False

    def callee(self, settings: ChildrenSettings) -> Callee | None:
        """Return the workflow that the node calls; None: it has a body."""
        return settings.callee

    def connect(
        self, settings: ChildrenSettings, interface: CalleeInterface, faults: Faults
    ) -> ChildrenSettings:
        """Return the settings with the sockets of an interface; add the faults that it shows."""
        return replace(settings, interface=interface)

    @abstractmethod
    def begin(
        self, settings: ChildrenSettings, inputs: Mapping[str, Any], fields: Sequence[Field]
    ) -> ChildrenSpec:
        """Return the children to start, given the present fields of the callee or body.

        `inputs` are the values of the wired sockets. Raises NodeFailed (invalid_inputs).
        """

    def sample(
        self, settings: ChildrenSettings, inputs: Mapping[str, Any], fields: Sequence[Field]
    ) -> Mapping[str, Any]:
        """Return the inputs of one child for an estimate, of the known inputs of the node."""
        return inputs

    @abstractmethod
    def collect(self, settings: ChildrenSettings, results: Sequence[ChildResult]) -> Outputs:
        """Return the outputs, given the ends of all children by index.

        Raises NodeFailed with the code of the child that fails the node.
        """

    def bind(
        self,
        settings: ChildrenSettings,
        wired: frozenset[str],
        media: Mapping[str, frozenset[SocketType]] = NO_MEDIA,
    ) -> ChildrenSettings:
        return replace(settings, wired=wired)

    async def run(
        self, settings: ChildrenSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        raise AssertionError("a node with children is walked by its children")


def input_sockets(interface: CalleeInterface | None) -> dict[str, Socket]:
    """Return a socket for each field; one that every child needs is required."""
    return {
        field.name: Socket(
            type=SOCKETS.get(field.type, SocketType.ANY),
            required=field.required and field.default is None,
        )
        for field in (interface.fields if interface else ())
    }


def without_nulls(fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of a child; null counts as absent, unless its field takes JSON."""
    takes_null = {field.name for field in fields if field.type is FieldType.JSON}
    return {
        name: value for name, value in values.items() if value is not None or name in takes_null
    }


def check_shared(
    settings: ChildrenSettings,
    fields: Sequence[Field],
    values: Mapping[str, Any],
    own: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the inputs of all children but for the fields in `own`, each child's.

    Media and texts are checked further when a child begins. Raises NodeFailed.
    """
    given, apart = without_nulls(fields, values), frozenset(own)
    gone = values.keys() - {field.name for field in fields}
    if gone:
        message = f"{_callee_words(settings)}There is no input '{min(gone)}' any more"
        raise NodeFailed(INVALID_INPUTS, message)
    try:
        check_inputs(
            [field for field in fields if field.name not in apart],
            given,
            strict=False,
            allow_http=True,
            allow_assets=True,
        )
    except InvalidInputs as error:
        raise NodeFailed(INVALID_INPUTS, f"{_callee_words(settings)}{error}") from None
    return given


def raise_failure(result: ChildResult, prefix: str = "") -> None:
    """Raise NodeFailed for a child that did not complete."""
    if result.status is ItemStatus.COMPLETED:
        return
    if result.error is None:
        raise NodeFailed(CANCELLED, f"{prefix}The child was cancelled")
    raise NodeFailed(result.error["code"], f"{prefix}{result.error['message']}")


def _callee_words(settings: ChildrenSettings) -> str:
    return "" if settings.callee is None else f"Workflow '{settings.callee.workflow}': "
