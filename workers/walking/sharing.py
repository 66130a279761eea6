"""An execution that several walkers hold: what the others have done counts here too."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence

from engine.progress import SETTLED
from engine.store.claims import Claimed, parse_claims
from engine.store.walks import Advanced, Walks
from workers.walking.hand import UNTOUCHED, Hand
from workers.walking.holdings import Holdings
from workers.walking.recorder import Gone, Recorder

CONTESTED_SECONDS = 0.05


class Sharing:
    """Brings what one walk has in hand in line with what is on record."""

    def __init__(
        self, claimed: Claimed, hand: Hand, walks: Walks, recorder: Recorder, holdings: Holdings
    ) -> None:
        self._claimed = claimed
        self._hand = hand
        self._walks = walks
        self._recorder = recorder
        self._holdings = holdings

    async def reconcile(self, advanced: Advanced, claim: Sequence[int] = ()) -> None:
        """Take over what other walkers have done or begun; `claim` is what was to be claimed.

        Raises Gone.
        """
        hand = self._hand
        hand.is_shared = True
        progress, statuses = hand.progress, advanced.statuses
        settled = {i for i, code in enumerate(statuses) if code in SETTLED}
        self._recorder.drop(settled)
        news = {i for i in settled if progress.status(i) not in SETTLED}
        begun = {i for i in (*claim, *hand.cpu) if statuses[i] == "r"} - set(hand.running)
        for index in begun:
            progress.begin(index)
        hand.cpu = deque(i for i in hand.cpu if i not in begun)
        hand.elsewhere = (hand.elsewhere | begun) - settled
        progress.ready.extend(i for i in claim if statuses[i] == "p" and i not in hand.running)
        left = {i for i in hand.elsewhere if statuses[i] in "pt"}
        await self._resume(left | {i for i in claim if statuses[i] == "t"}, advanced)
        if news:
            await self._take_over(statuses, news)
        if self._is_contested(statuses):
            await asyncio.sleep(CONTESTED_SECONDS)

    async def _resume(self, indexes: set[int], advanced: Advanced) -> None:
        """Go on with what another walker has lost or put off: it may not come back."""
        if not indexes:
            return
        hand = self._hand
        claims = parse_claims(await self._read_record())
        hand.elsewhere -= indexes
        for index in sorted(indexes):
            hand.claims[index] = claims.get(index, UNTOUCHED)
            if advanced.statuses[index] == "t":
                hand.wait_for(index, (hand.claims[index].at - advanced.now) / 1000)
            else:
                hand.progress.give_back(index)

    async def _read_record(self) -> Mapping[str, bytes]:
        """Everything on record of the execution. Raises Gone when there is no record any more."""
        claimed = self._claimed
        record = await self._walks.records(claimed.account_id, claimed.execution_id)
        if not record:
            raise Gone("missing")
        return record

    def _is_contested(self, statuses: str) -> bool:
        """Whether others have begun what was done here without a claim: theirs will count."""
        hand, fence = self._hand, self._claimed.fence
        return any(
            statuses[i] == "r" and hand.claims.get(i, UNTOUCHED).fence != fence
            for i in self._recorder.settled
        )

    async def _take_over(self, statuses: str, news: set[int]) -> None:
        hand = self._hand
        outputs = await self._holdings.read(await self._read_record(), news)
        hand.cpu = deque(i for i in hand.cpu if i not in news)
        hand.io = [i for i in hand.io if i not in news]
        for index in sorted(news):
            if index in hand.running:
                hand.running.pop(index).cancel()
            hand.progress.settle(index, statuses[index], outputs.get(index))
        for index in hand.progress.take_skipped():
            if statuses[index] not in SETTLED:
                self._recorder.add_skipped(index)
