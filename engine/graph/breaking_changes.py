"""Breaking changes: what a new version of a document takes away from callers of the one before."""

from collections.abc import Iterator
from fractions import Fraction

from engine.errors.nodes import SettingsError
from engine.graph.document import Document
from engine.nodes.request_input import RequestInput
from engine.nodes.response_output import ResponseOutput
from engine.nodes.support.children import CalleeInterface
from engine.values.fields import Field

MAX_OPTIONS_NAMED = 10


def breaking_changes(former: Document, document: Document) -> list[str]:
    """Return a sentence for each change that breaks callers of `former`; none: nothing breaks.

    It looks at inputs and at the names in the result only; both documents have graphs that can run.
    """
    before, after = _read_interface(former), _read_interface(document)
    return [*_input_changes(before, after), *_result_changes(before, after)]


def _read_interface(document: Document) -> CalleeInterface:
    fields: tuple[Field, ...] = ()
    outputs: tuple[str, ...] = ()
    has_result = False
    for node in document.nodes:
        try:
            if node["type"] == RequestInput.type:
                fields = RequestInput().parse(node["data"]).fields
            elif node["type"] == ResponseOutput.type:
                has_result = True
                outputs = ResponseOutput().parse(node["data"]).names
        except SettingsError:
            continue  # a graph that cannot run promises nothing
    return CalleeInterface(fields=fields, has_result=has_result, outputs=outputs)


def _input_changes(before: CalleeInterface, after: CalleeInterface) -> Iterator[str]:
    known = {field.name: field for field in before.fields}
    found = {field.name: field for field in after.fields}
    for name, former in known.items():
        field = found.get(name)
        if field is None:
            yield f"The input '{name}' is removed or renamed"
        elif field.type is not former.type:
            yield f"The input '{name}' changes its type from {former.type} to {field.type}"
        else:
            yield from _narrowings(former, field)
        if field is not None and _must_be_sent(field) and not _must_be_sent(former):
            yield f"The input '{name}' becomes required"
    for name, field in found.items():
        if name not in known and _must_be_sent(field):
            yield f"The new input '{name}' is required"


def _must_be_sent(field: Field) -> bool:
    """Whether a call without the field is refused."""
    return field.required and field.default is None


def _narrowings(former: Field, field: Field) -> Iterator[str]:
    """Sentences about values of the field that were taken before and are refused now."""
    yield from _option_changes(former, field)
    if field.min is not None and (former.min is None or field.min > former.min):
        yield f"The input '{field.name}' takes {field.min} or more{_instead(former.min)}"
    if field.max is not None and (former.max is None or field.max < former.max):
        yield f"The input '{field.name}' takes {field.max} or less{_instead(former.max)}"
    if not _are_steps_kept(former, field):
        yield f"The input '{field.name}' takes {field.min or 0} plus multiples of {field.step} only"
    length = field.max_length
    if length is not None and (former.max_length is None or length < former.max_length):
        was = _instead(former.max_length)
        yield f"The input '{field.name}' takes at most {length} characters{was}"


def _option_changes(former: Field, field: Field) -> Iterator[str]:
    if not field.options:
        return
    if not former.options:
        yield f"The input '{field.name}' takes its options only"
        return
    gone = [repr(each) for each in former.options if each not in field.options]
    if gone:
        more = len(gone) - MAX_OPTIONS_NAMED
        named = ", ".join(gone[:MAX_OPTIONS_NAMED]) + (f" and {more} more" if more > 0 else "")
        yield f"The input '{field.name}' loses options: {named}"


def _are_steps_kept(former: Field, field: Field) -> bool:
    """Whether each value on the former steps is on the steps now."""
    if former.step is None or field.step is None:
        return field.step is None
    start, step = _exact(field.min or 0), _exact(field.step)
    shift = _exact(former.min or 0) - start
    return _exact(former.step) % step == 0 and shift % step == 0


def _exact(number: int | float) -> Fraction:
    return Fraction(str(number))


def _instead(former: int | float | None) -> str:
    return "" if former is None else f" instead of {former}"


def _result_changes(before: CalleeInterface, after: CalleeInterface) -> Iterator[str]:
    if not before.has_result:
        return
    if not after.has_result:
        yield "The result is removed"
    elif bool(before.outputs) is not bool(after.outputs):
        kinds = ("one result", "named outputs")
        was, becomes = kinds if after.outputs else reversed(kinds)
        yield f"The result changes from {was} to {becomes}"
    else:
        gone = [name for name in before.outputs if name not in after.outputs]
        yield from (f"The output '{name}' is removed or renamed" for name in gone)
