"""Published ports: connections to this machine's loopback are passed on to a host."""

import contextlib
import socket
import threading


class Published:
    """Listeners that pass connections on, each in two threads."""

    def __init__(self) -> None:
        self._listeners: list[socket.socket] = []

    def add(self, here: tuple[str, int], there: tuple[str, int]) -> None:
        """Pass connections to an address of this machine on to an address of a host."""
        listener = socket.create_server(here, backlog=128)
        self._listeners.append(listener)
        threading.Thread(target=_accept, args=(listener, there), daemon=True).start()

    def close(self) -> None:
        """End all listeners."""
        for listener in self._listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self._listeners.clear()


def _accept(listener: socket.socket, there: tuple[str, int]) -> None:
    while True:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_pass_on, args=(near, there), daemon=True).start()


def _pass_on(near: socket.socket, there: tuple[str, int]) -> None:
    with near, contextlib.suppress(OSError), socket.create_connection(there, timeout=5) as far:
        far.settimeout(None)
        back = threading.Thread(target=_pump, args=(far, near), daemon=True)
        back.start()
        _pump(near, far)
        back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
