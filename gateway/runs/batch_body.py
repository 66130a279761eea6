"""Body of a new batch: read piece by piece, so that a large one blocks nobody."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from msgspec import UNSET, Meta, Raw, Struct, UnsetType, field
from msgspec.json import Decoder

from engine.errors import InvalidBody
from engine.executions.batches import DEFAULT_CONCURRENCY, MAX_CONCURRENCY, MAX_ITEMS
from engine.executions.tags import distinct_tags
from engine.services.batches.item_checks import RunSteps, SizedItem
from engine.store import NewItem
from engine.webhooks.signing import MAX_SECRET, MAX_URL, MIN_SECRET
from gateway.http.json_bodies import ANY, check_count, check_values, parse_json, parse_object
from gateway.http.middleware import BodyLimit
from gateway.http.types import OBJECT, Nested, RequestBody, described_as, doc, refused
from gateway.runs.ignored_members import ignored_members
from gateway.runs.tags import Tags

MAX_BYTES = 16_777_216
BODY_LIMIT = BodyLimit(MAX_BYTES, seconds=60.0)
ITEMS = "items"
NO_ITEMS = Raw(b"null")
MEMBERS, EACH = Decoder(dict[str, Raw]), Decoder(list[Raw])


class BatchItemRequest(RequestBody):
    """One item of a batch: the body of a run."""

    inputs: Annotated[
        OBJECT,
        doc("A value for each field of the workflow's schema."),
        refused("must be an object"),
    ]
    tags: Tags = field(default_factory=list)


class WebhookOfBatch(Nested, kw_only=True):
    """A webhook for the end of this batch alone, in place of the one of its key."""

    url: Annotated[str, Meta(min_length=1, max_length=MAX_URL)]
    secret: Annotated[
        Annotated[str, Meta(min_length=MIN_SECRET, max_length=MAX_SECRET)] | UnsetType,
        doc("Left out: that of the key's webhook signs, whose origin the URL must have."),
    ] = UNSET


class BatchRequest(RequestBody):
    """Items to run, each like a call of its own. Other members are named in `warnings`."""

    items: Annotated[
        Any,
        described_as(
            Annotated[list[BatchItemRequest], Meta(min_length=1, max_length=MAX_ITEMS)],
            description="Each item is a run. They begin in this order.",
        ),
    ]
    tags: Annotated[Tags, doc("Tags of every item's execution.")] = field(default_factory=list)
    concurrency: Annotated[
        int,
        Meta(ge=1, le=MAX_CONCURRENCY),
        doc("Most items that run at once."),
    ] = DEFAULT_CONCURRENCY
    webhook: Annotated[
        Any,
        described_as(WebhookOfBatch | None),
        doc("Told of the batch's end in place of the key's webhook, with `webhook:receive`."),
    ] = None


class ParsedBatch(Struct, frozen=True, kw_only=True):
    """Parsed body of a new batch."""

    body: BatchRequest
    items: Sequence[SizedItem]
    warnings: tuple[str, ...]
    """Sentences about members that are ignored."""


async def parse_batch(data: bytes, run_steps: RunSteps) -> ParsedBatch:
    """Parse the body: first its members, then item by item. Raises InvalidBody."""
    parsing = _Parsing(data)
    await run_steps(parsing.steps())
    return ParsedBatch(
        body=parsing.body, items=parsing.items, warnings=tuple(dict.fromkeys(parsing.warnings))
    )


class _Parsing:
    body: BatchRequest

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.items: list[SizedItem] = []
        self.warnings: list[str] = []

    def steps(self) -> Iterator[int]:
        """Parse; yield the size of each step before doing it."""
        yield len(self._data)
        check_count(self._data)
        members = parse_json(self._data, MEMBERS)
        raw_items = _split(members.pop(ITEMS, NO_ITEMS))
        others = {name: parse_json(value, ANY) for name, value in members.items()}
        check_values(others)
        body = {**others, ITEMS: raw_items}
        self.body = BatchRequest.parse(body)
        self.warnings += ignored_members(BatchRequest, body)
        for index, raw in enumerate(raw_items):
            data = bytes(raw)
            yield len(data)
            self.items.append(SizedItem(self._parse_item(index, data), len(data)))

    def _parse_item(self, index: int, data: bytes) -> NewItem:
        try:
            members = parse_object(data)
            item = BatchItemRequest.parse(members)
        except InvalidBody as error:
            raise _placed(error, f"{ITEMS}[{index}]") from None
        self.warnings += ignored_members(BatchItemRequest, members)
        return NewItem(item.inputs, distinct_tags(item.tags))


def _split(raw: Raw) -> list[Raw]:
    try:
        items = parse_json(raw, EACH)
    except InvalidBody:
        items = []
    if not 1 <= len(items) <= MAX_ITEMS:
        raise InvalidBody(f"'items' must be a list of 1 to {MAX_ITEMS:,} objects", field=ITEMS)
    return items


def _placed(error: InvalidBody, place: str) -> InvalidBody:
    """Return the error of an item's body with the item's place in the whole body."""
    name = error.context.get("field")
    if name is None:
        return InvalidBody(error.message.replace("The body", f"'{place}'", 1), field=place)
    message = error.message.replace(f"'{name}'", f"'{place}.{name}'", 1)
    return InvalidBody(message, field=f"{place}.{name}")


BatchItemRequest.examples = (BatchItemRequest({"name": "Ada"}),)
BatchRequest.examples = (
    BatchRequest([BatchItemRequest({"name": "Ada"}), BatchItemRequest({"name": "Eve"}, ["vip"])]),
    BatchRequest([BatchItemRequest({"name": "Ada"})], tags=["nightly"], concurrency=5),
)
