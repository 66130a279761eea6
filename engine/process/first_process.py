"""The first process of a container: it reaps orphans, and passes signals on to the command.

The system gives orphans to the process with the id 1, which must wait for their ends, and lets it
miss each signal that it does not handle. The command itself is a child of it, as anywhere else.
"""

import contextlib
import os
import signal
import sys

PASSED_ON = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1),
    *(signal.SIGUSR2, signal.SIGWINCH),
)
OF_TERMINALS = frozenset({signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH})
"""Signals that a terminal sends to the command as well."""
KILLED = 128
"""Exit code of a command that a signal has ended, less the signal's number."""


def stand_before() -> None:
    """Return in a child that runs the command; this process ends with it, and with its code.

    Call before the first thread starts.
    """
    has_terminal = sys.stdin is not None and sys.stdin.isatty()
    signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
    child = os.fork()
    if child:
        _pass_on(child, has_terminal=has_terminal)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)
    if child:
        os._exit(_wait(child))


def _pass_on(child: int, *, has_terminal: bool) -> None:
    def pass_on(number: int, _frame: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for number in PASSED_ON:
        is_received = has_terminal and number in OF_TERMINALS
        signal.signal(number, signal.SIG_IGN if is_received else pass_on)


def _wait(child: int) -> int:
    """Reap all children until the command has ended; return its exit code."""
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else KILLED - code
