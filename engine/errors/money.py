"""Errors of payment."""

from typing import Any

from engine.errors.base import EXECUTION_ID, EngineError

STOPPED_NODE = {"nodeId": "picture", "nodeType": "customModel", "executionId": EXECUTION_ID}
"""Context of the examples."""


class PaymentRequired(EngineError):
    """The account or the caller's limit does not cover the run."""

    code = "PAYMENT_REQUIRED"


class InsufficientCredits(PaymentRequired):
    """The run may cost `required` credits, and the account has only `balance`."""

    code = "INSUFFICIENT_CREDITS"

    def __init__(self, required: int, balance: int, **context: Any) -> None:
        message = f"This needs {required} credits and the balance is {balance}"
        super().__init__(message, required=required, balance=balance, **context)


InsufficientCredits.examples = (InsufficientCredits(120, 85),)


class CreditsRanOut(InsufficientCredits):
    """The balance did not cover a node of a running execution; the context names both."""

    def __init__(self, message: str, **context: Any) -> None:
        PaymentRequired.__init__(self, message, **context)


CreditsRanOut.examples = (
    CreditsRanOut(
        "Node 'picture' did not run: This needs 35 credits more and the balance is 85",
        **STOPPED_NODE,
        reason="This needs 35 credits more and the balance is 85",
    ),
)


class GrantExhausted(PaymentRequired):
    """The account's trial of a model is used up."""

    code = "grant_exhausted"

    def __init__(self, model: str | None) -> None:
        """`model` is None where the caller may not know it."""
        if model is None:
            super().__init__("The trial of a model of this workflow is used up")
        else:
            super().__init__(f"The trial of the model '{model}' is used up", model=model)


GrantExhausted.examples = (GrantExhausted("photo-fast"),)


class MaxCreditsExceeded(PaymentRequired):
    """The run may cost more than the caller's `max_credits`."""

    code = "MAX_CREDITS_EXCEEDED"

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message, **context)


MaxCreditsExceeded.examples = (
    MaxCreditsExceeded(
        "This may cost 120 credits, over the 100 of 'max_credits'", maxCredits=100, estimate=120
    ),
    MaxCreditsExceeded(
        "Node 'picture' did not run: The run would pass 'max_credits' here",
        **STOPPED_NODE,
        reason="The run would pass 'max_credits' here",
    ),
)
