"""Memory for what is large: how many bytes those of one process may have in hand at once."""

import asyncio
from collections import deque


class Room:
    """So many bytes; who finds too few waits, first come first served, until others give back."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._left = most
        self._line: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def left(self) -> int:
        """Bytes that nobody has; less than nothing when some have more than they asked for."""
        return self._left

    async def take(self, size: int, seconds: float) -> None:
        """Wait for so many bytes, `most` at most. Raises TimeoutError when they are not in time."""
        if not self._line and size <= self._left:
            self._left -= size
            return
        turn = asyncio.get_running_loop().create_future()
        self._line.append((size, turn))
        try:
            async with asyncio.timeout(seconds):
                await turn
        except BaseException:
            self._withdraw(size, turn)
            raise

    def give(self, size: int) -> None:
        """Have so many bytes no more; less than nothing: have more, whoever waits."""
        self._left += size
        self._serve()

    def _withdraw(self, size: int, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self.give(size)  # it was this call's turn just when it gave up
        else:
            self._line.remove((size, turn))
            self._serve()

    def _serve(self) -> None:
        while self._line and self._line[0][0] <= self._left:
            if self._line[0][1].cancelled():
                return  # it takes itself out of the line in a moment
            size, turn = self._line.popleft()
            self._left -= size
            turn.set_result(None)
