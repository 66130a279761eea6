"""Times at which answers for items of a list are recorded, and their text for watchers."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

from engine.errors import StorageFailed
from engine.executions.rows import unpack_answers
from engine.graph.plan import compile_plan
from engine.models.manifest import Model
from engine.models.pricing import Usage
from engine.models.registry import use_models
from engine.process.pool import Pool
from tests.support.graphs.graph_text import node
from tests.support.manifests import model
from tests.support.models.recorded_checkpoints import RecordedCheckpoints
from workers.nodes.context import NodeAttempt
from workers.nodes.executor import Executor
from workers.providers.base import Fetcher, ModelAnswer, ModelCall
from workers.walk.resume.item_answers import BATCH_SECONDS, AnswerBatches, ItemAnswers

USED = Usage(calls=1, seconds=Decimal("2.5"), input_tokens=7)


@dataclass
class RecordedBatches:
    """Remembers batches and the offloaded ones among them; refused ones are lost."""

    batches: list[bytes] = field(default_factory=list)
    offloaded_name: list[int] = field(default_factory=list)
    refuses: int = 0
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.opened.set()

    async def read_batches(self, index: int) -> list[bytes | None]:
        return list(self.batches)

    async def save_batch(
        self, index: int, number: int, batch: bytes, *, is_offloaded: bool
    ) -> None:
        await self.opened.wait()
        if self.refuses:
            self.refuses -= 1
            raise StorageFailed
        assert number == len(self.batches) + 1
        self.batches.append(batch)
        if is_offloaded:
            self.offloaded_name.append(number)

    @property
    def items(self) -> list[list[int]]:
        """The items of each batch."""
        return [[row.item for row in unpack_answers(batch)] for batch in self.batches]


def answers(batches: RecordedBatches, *, may_have: bool = False) -> ItemAnswers:
    return ItemAnswers(cast(AnswerBatches, batches), 3, may_have=may_have)


async def call_model(kept: ItemAnswers, *items: int, size: int = 1) -> None:
    for item in items:
        assert await kept.find(item) is None
    for item in items:
        kept.add(item, ModelAnswer(value=str(item) * size, usage=USED, micro_usd=item or None))


async def test_answers_that_come_together_are_recorded_together() -> None:
    batches = RecordedBatches()
    kept = answers(batches)

    batches.opened.clear()
    await call_model(kept, 0, 1, 2)
    await asyncio.sleep(3 * BATCH_SECONDS)
    await call_model(kept, 3)
    await call_model(kept, 4)
    batches.opened.set()
    await kept.flush()

    assert batches.items == [[0, 1, 2], [3, 4]]


async def test_recorded_answers_are_returned_with_their_usage() -> None:
    batches = RecordedBatches()
    first = answers(batches)
    await call_model(first, 0, 1)
    await first.flush()

    second = answers(batches, may_have=True)
    found = [await second.find(item) for item in range(3)]

    assert found == [
        ModelAnswer(value="0", usage=USED),
        ModelAnswer(value="1", usage=USED, micro_usd=1),
        None,
    ]


async def test_a_single_answer_is_recorded_when_there_is_a_second_call_and_not_before() -> None:
    batches = RecordedBatches()
    kept = answers(batches)

    await call_model(kept, 0)
    await asyncio.sleep(3 * BATCH_SECONDS)
    alone = list(batches.batches)
    await kept.find(1)
    await kept.flush()

    assert alone == []
    assert batches.items == [[0]]


async def test_nothing_is_recorded_after_the_end() -> None:
    batches = RecordedBatches()
    kept = answers(batches)

    await call_model(kept, 0, 1)
    kept.close()
    await asyncio.sleep(3 * BATCH_SECONDS)

    assert batches.batches == []


async def test_a_refused_answer_is_none_although_one_was_recorded_before() -> None:
    batches = RecordedBatches()
    kept = answers(batches)
    await call_model(kept, 0, 1)
    await kept.flush()

    kept.drop(1)
    await kept.flush()

    again = answers(batches, may_have=True)
    assert await again.find(0) is not None
    assert await again.find(1) is None


async def test_once_a_node_has_much_on_record_only_small_batches_are_added_to_it() -> None:
    batches = RecordedBatches()
    kept = answers(batches)

    for item in range(1, 9):
        await call_model(kept, 10 + item, size=100_000)  # two characters each
        await kept.flush()
    await call_model(kept, 50)
    await kept.flush()

    assert batches.items == [[11, 12], *([item] for item in range(13, 19)), [50]]
    assert batches.offloaded_name == [1, 7]


async def test_a_batch_that_cannot_be_stored_holds_up_no_other() -> None:
    batches = RecordedBatches(refuses=1)
    kept = answers(batches)

    await call_model(kept, 0, 1)
    await kept.flush()
    await call_model(kept, 2)
    await kept.flush()

    assert batches.items == [[2]]


@dataclass
class Listener:
    """Notes the text of a node, by item."""

    texts: dict[int, list[str]] = field(default_factory=dict)

    def text_of(self, item: int) -> Callable[[str], None]:
        return self.texts.setdefault(item, []).append

    def progress_of(self, item: int) -> Callable[[float], None]:
        return lambda _: None

    async def end(self) -> None:
        return


class Half(RecordedCheckpoints):
    """Checkpoints of an earlier attempt with an answer for the first item."""

    async def find_answer(self, item: int) -> ModelAnswer | None:
        return ModelAnswer(value="before", usage=USED) if item == 0 else None


class Speaking:
    """A model that publishes its text, and answers with it."""

    async def call(
        self, model: Model, values: Mapping[str, Any], model_call: ModelCall
    ) -> ModelAnswer:
        model_call.publish_text("now")
        return ModelAnswer(value="now", usage=USED)


async def test_watchers_get_recorded_texts_too() -> None:
    listener = Listener()
    with use_models([model("echo")]):
        (asking,) = compile_plan([node("m", "customModel", model="echo", prompt="x")], []).nodes
        executor = Executor(cast(Fetcher, None), cast(Pool, None), Speaking())
        outcome = await executor.run(
            NodeAttempt(
                node=asking,
                execution_inputs={},
                inputs={"prompt-in": ["a", "b"]},
                delivered=[],
                checkpoints=Half(),
                publisher=listener,
            )
        )

    assert outcome.outputs == {"text-out": ["before", "now"]}
    assert listener.texts == {0: ["before"], 1: ["now"]}
    assert outcome.usage == USED + USED
