"""Type of a file by its start and by the type that it is declared as."""

from engine.media.documents.text_follower import begins_as_text
from engine.media.documents.types import DOCUMENTS, OFFICE, TEXTS, ZIP, find_document
from engine.media.formats import ANY_TYPE, EITHER, HEAD_BYTES, TYPES, Facts, UnfitMedia
from engine.media.headers import read_facts

TAKEN = TYPES | DOCUMENTS | ANY_TYPE
UNTOLD_TEXT = (
    "The file is a text, and neither its type nor its name tells which kind: declare its type, or "
    "name it .txt, .md, .html, .json, .csv or .tsv"
)


def read_start(head: bytes, declared: str, named: str | None = None) -> Facts:
    """Return the facts of a file from its start. Raises UnfitMedia, also if `declared` differs.

    `named` is the type by the file's name: a text whose type is not declared has that one. The end
    of a file of the type `ZIP` tells which document it is.
    """
    if declared not in TAKEN:
        raise UnfitMedia(f"Files of the type {declared[:64]!r} are not taken")
    facts = _find(head, declared, named)
    is_open = facts.content_type == ZIP and declared in OFFICE
    return facts if is_open else check_declared(facts, declared)


def check_declared(facts: Facts, declared: str) -> Facts:
    """Return the facts under the declared type. Raises UnfitMedia if it is another one."""
    if declared == EITHER.get(facts.content_type):
        return Facts(content_type=declared, duration_ms=facts.duration_ms)
    if declared not in ANY_TYPE and declared != facts.content_type:
        raise UnfitMedia(f"The file is {facts.content_type}, not {declared} as it is declared")
    return facts


def _find(head: bytes, declared: str, named: str | None) -> Facts:
    is_named_text = declared in ANY_TYPE and named in TEXTS and begins_as_text(head[:HEAD_BYTES])
    text_type = named if is_named_text else declared
    if text_type in TEXTS:
        return Facts(content_type=find_document(head, text_type) or text_type)
    try:
        return read_facts(head)
    except UnfitMedia:
        document = find_document(head, named if declared in ANY_TYPE else None)
        if document is None and begins_as_text(head[:HEAD_BYTES]):
            wrong = f"The file is not {declared} as it is declared"
            raise UnfitMedia(UNTOLD_TEXT if declared in ANY_TYPE else wrong) from None
        if document is None:
            raise
        return Facts(content_type=document)
