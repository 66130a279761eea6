"""Program of an operator that sends numbered messages until its input ends.

It sends a message again when `send` has raised, and prints how often that was.
"""

import sys
import threading
import time

from tests.support.workers.own_actors import keep

PAUSE_SECONDS = 0.02
AGAIN_SECONDS = 0.2


def main() -> None:
    stopped = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stopped.set()), daemon=True).start()
    number = repeated = 0
    while not stopped.is_set():
        try:
            keep.send(number)
            number += 1
            time.sleep(PAUSE_SECONDS)
        except Exception as error:
            repeated += 1
            print(f"again: {type(error).__name__}", file=sys.stderr)
            time.sleep(AGAIN_SECONDS)
    print(number, repeated)


if __name__ == "__main__":
    main()
