"""Errors of items that cannot begin: those of batches, and children of executions."""

from collections.abc import Mapping

from engine.errors import EngineError

ItemError = Mapping[str, str]
"""`code` and `message` of an item, as records have them."""

INPUTS_GONE = {
    "code": "INTERNAL_ERROR",
    "message": "The inputs of this item are not there any more",
}
FAULT = {"code": "INTERNAL_ERROR", "message": "The item could not begin because of a fault"}


def item_error(refusal: EngineError) -> ItemError:
    """Return the error of an item that a refusal keeps from its beginning."""
    return {"code": refusal.code or "INTERNAL_ERROR", "message": refusal.message}
