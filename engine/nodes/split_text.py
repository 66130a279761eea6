"""Split Text: chunks of a text, for embeddings and models."""

from collections.abc import Mapping
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.nodes.retrieval.text_chunks import (
    MAX_CHARACTERS,
    MAX_CHUNKS,
    ChunkRules,
    SplitBy,
    TooManyChunks,
    split_texts,
)
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.settings import Faults, choice, read_all, whole
from engine.values.sockets import Socket, SocketType
from engine.values.templates import to_text

TEXT_IN, CHUNKS_OUT = "text-in", "chunks-out"
MAX_SIZE = 100_000
USUAL_SIZE = 1_000
SHORT = 100_000
"""Up to this number of code points, texts are split in place, in about a millisecond."""
SIZE = whole("size", "Most characters of a chunk.", 1, MAX_SIZE, default=USUAL_SIZE)
OVERLAP = whole(
    "overlap",
    "Characters before a chunk that it repeats; fewer than size.",
    0,
    MAX_SIZE - 1,
    default=0,
)
BY = choice(
    "by",
    "Ends of chunks: anywhere, after sentences, or before headings of Markdown.",
    [*SplitBy],
    default=SplitBy.SENTENCES,
)


class SplitText(NodeType):
    """Splits a text into chunks; the chunks of a list of texts follow one another in one list.

    Without their overlaps, the chunks of a text are the text.
    """

    type = "splitText"
    category = "Utilities"
    label = "Split Text"
    description = "Splits a text into chunks of limited size."
    kind = WorkKind.CPU
    members = (SIZE, OVERLAP, BY)

    def read(self, data: Mapping[str, Any], faults: Faults) -> ChunkRules:
        given = read_all(self.members, data, faults)
        size, overlap = given["size"], given["overlap"]
        if overlap >= size and not faults.found:
            faults.add_rule(f"overlap must be less than size, which is {size}", "overlap")
        return ChunkRules(size=size, overlap=overlap, by=SplitBy(given["by"]))

    def inputs(self, settings: ChunkRules) -> Mapping[str, Socket]:
        return {TEXT_IN: Socket(type=SocketType.TEXT, required=True)}

    def outputs(self, settings: ChunkRules) -> Mapping[str, Socket]:
        return {CHUNKS_OUT: Socket(type=SocketType.TEXT)}

    async def run(
        self, settings: ChunkRules, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        wired = inputs.get(TEXT_IN)
        texts = [to_text(each) for each in (wired if isinstance(wired, list) else [wired])]
        try:
            if sum(map(len, texts)) <= SHORT:
                return {CHUNKS_OUT: split_texts(texts, settings)}
            return {CHUNKS_OUT: await context.compute(split_texts, texts, settings)}
        except TooManyChunks:
            message = (
                f"The text would have more than {MAX_CHUNKS:,} chunks, or chunks of more than"
                f" {MAX_CHARACTERS:,} characters together; a larger size or less overlap gives less"
            )
            raise NodeFailed("invalid_value", message) from None
