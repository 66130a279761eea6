"""What an execution has put out so far: how large it is, and how to read it back."""

from collections.abc import Container, Iterable, Mapping

from engine.nodes.base import NodeFailed, Outputs
from engine.store.execution_records import parse_rows
from engine.store.records import unpack
from engine.store.walks import Claimed, Walks


class Holdings:
    """The packed sizes of a run's outputs, held to a limit in bytes."""

    def __init__(self, walks: Walks, claimed: Claimed, max_bytes: int) -> None:
        self._walks = walks
        self._claimed = claimed
        self._max_bytes = max_bytes
        self._sizes: dict[int, int] = {}
        self._total = 0

    def add(self, index: int, size: int) -> NodeFailed | None:
        """Count a node's outputs; the failure when the run is over its limit with them."""
        self._total += size - self._sizes.get(index, 0)
        self._sizes[index] = size
        return self._too_large() if self._total > self._max_bytes else None

    def weigh(self, sources: Iterable[int]) -> NodeFailed | None:
        """The failure when a node's inputs, as often as they are wired to it, are over the limit.

        Before it runs: a list of many wires to one large output would fill the memory.
        """
        sizes = self._sizes
        weight = sum([sizes.get(index, 0) for index in sources])
        return self._too_large() if weight > self._max_bytes else None

    def _too_large(self) -> NodeFailed:
        limit = self._max_bytes
        return NodeFailed("run_too_large", f"The outputs of this run are over {limit} bytes")

    async def read(
        self, record: Mapping[str, bytes], wanted: Container[int]
    ) -> dict[int, Outputs | None]:
        """The outputs on record of the wanted nodes, those kept aside included."""
        outputs: dict[int, Outputs | None] = {}
        for index, row in parse_rows(record).items():
            if index not in wanted:
                continue
            data = row[5]
            if data is True:
                claimed = self._claimed
                data = await self._walks.aside(claimed.account_id, claimed.execution_id, index)
            outputs[index] = unpack(data) if data else None
            self.add(index, len(data or b""))
        return outputs
