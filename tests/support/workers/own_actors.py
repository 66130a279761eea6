"""A module of actors like an operator's; tests name it in HEADRACE_ACTORS."""

import json
import os
import time
from pathlib import Path
from typing import Any

import dramatiq
from dramatiq.middleware import Middleware

from workers.runtime.messages import own_broker

dramatiq.set_broker(own_broker())

NOTES = Path(os.environ["NOTES"])


class Counting(Middleware):
    """Notes processed messages, by name."""

    def before_process_message(self, broker: dramatiq.Broker, message: Any) -> None:
        note("processed", message.actor_name)


own_broker().add_middleware(Counting())


def note(*what: Any) -> None:
    with NOTES.open("a") as file:
        file.write(json.dumps(what) + "\n")


@dramatiq.actor
def keep(*args: Any, **kwargs: Any) -> None:
    keep.logger.debug("a line of its own")
    note("keep", os.getpid(), args, kwargs)


@dramatiq.actor
def fail(word: str) -> None:
    note("fail", word)
    raise RuntimeError("as it should")


@dramatiq.actor(max_retries=2, min_backoff=10, max_backoff=50, queue_name="again")
def fail_again(word: str) -> None:
    note("fail_again", word)
    raise RuntimeError("as it should")


@dramatiq.actor(queue_name="slow")
def hang(word: str) -> None:
    note("hang", word)
    time.sleep(600)
