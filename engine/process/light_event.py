"""An event for objects of which thousands wait: asyncio's own holds 700 bytes from the start."""

import asyncio


class LightEvent:
    """As `asyncio.Event`, without memory for waiters before there are any."""

    __slots__ = ("_is_set", "_waiters")

    def __init__(self, *, is_set: bool = False) -> None:
        self._is_set = is_set
        self._waiters: tuple[asyncio.Future[None], ...] = ()

    def is_set(self) -> bool:
        """Return whether the event is set."""
        return self._is_set

    def set(self) -> None:
        """Wake all waiters; later ones do not wait until `clear`."""
        self._is_set = True
        waiters, self._waiters = self._waiters, ()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def clear(self) -> None:
        """Let later waiters wait."""
        self._is_set = False

    def wait(self) -> "asyncio.Future[None]":
        """Return a future that is done once the event is set."""
        waiter = asyncio.get_running_loop().create_future()
        if self._is_set:
            waiter.set_result(None)
        else:
            waiting = tuple(each for each in self._waiters if not each.done())
            self._waiters = (*waiting, waiter)
        return waiter
