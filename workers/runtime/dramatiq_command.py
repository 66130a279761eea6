"""A broker for `dramatiq workers.main` that refuses and names the right command."""

import dramatiq
from dramatiq import broker as brokers

SENTENCE = (
    "workers.main is not started by Dramatiq's command: run `headrace worker` on one of many "
    "machines, or `headrace up` for a whole stack. HEADRACE_ACTORS names modules with actors of "
    "your own."
)


class RefusingBroker(dramatiq.Broker):
    """Ends the process of Dramatiq's command that would work on it."""

    def emit_after(self, signal: str, *args: object, **kwargs: object) -> None:
        """Raise SystemExit with the sentence at the start of a worker process."""
        if signal == "process_boot":
            raise SystemExit(SENTENCE)
        super().emit_after(signal, *args, **kwargs)


def refuse_command() -> None:
    """Set that broker for this process, unless another is set already."""
    if brokers.global_broker is None:
        dramatiq.set_broker(RefusingBroker(middleware=[]))
