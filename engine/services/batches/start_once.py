"""Start of a batch, a replay or a test run for a caller who may repeat the call."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from engine.access.tiers import TierTerms
from engine.errors import EngineError, IdempotencyKeyReused, InsufficientCredits, Unavailable
from engine.store import NewBatch, Store


class StartedBatch(Struct, frozen=True):
    """Answer to the start of a batch."""

    answer: str
    is_replay: bool = False


async def start_once(
    store: Store, new: NewBatch, start: Callable[[], Awaitable[StartedBatch]]
) -> StartedBatch:
    """Start a batch; a repeated call gets the first answer, whatever has changed since.

    Raises IdempotencyKeyReused, and what `start` raises unless another call with the same key has
    been accepted meanwhile.
    """
    ids = new.account_id, new.idempotency_key
    replay = await store.acceptance.find_replay(*ids)
    if replay is None:
        try:
            return await start()
        except (IdempotencyKeyReused, Unavailable):
            raise
        except EngineError:
            replay = await store.acceptance.find_replay(*ids)
            if replay is None:
                raise
    return StartedBatch(replay.answer, is_replay=True)


async def require_balance(store: Store, account_id: str, terms: TierTerms, credits: int) -> None:
    """Raise InsufficientCredits unless the balance covers these credits."""
    if credits:
        wallet = await store.wallets.get(account_id, terms)
        if credits > wallet.balance:
            raise InsufficientCredits(credits, wallet.balance)
