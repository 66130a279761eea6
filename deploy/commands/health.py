"""`headrace health`: readiness of one process, for supervisors that run a command."""

import click

from deploy.net.host_ports import reachable_host, url_of
from deploy.net.http_client import Unreachable, call
from deploy.output.problems import CommandFailed
from engine.settings import Settings, load

ANSWER_SECONDS = 5.0
OK = 200
GATEWAY, WORKER = "gateway", "worker"


@click.command()
@click.argument("kind", type=click.Choice([GATEWAY, WORKER]), required=False)
@click.option("--host", help="Address that is asked.  [default: that of the settings]")
@click.option(
    "--port",
    type=click.IntRange(1, 65_535),
    help="Port that is asked.  [default: HEADRACE_PORT; of a worker HEADRACE_HEALTH_PORT]",
)
def health(kind: str | None, host: str | None, port: int | None) -> None:
    """Ask the gateway or the worker here whether it is ready; exits 1 when it is not.

    Without an argument it is the gateway, or the worker where no gateway answers.
    """
    settings = load()
    if kind is not None or port is not None or not settings.health_port:
        print(_ask(kind or GATEWAY, settings, host, port))
        return
    try:
        print(_ask(GATEWAY, settings, host, port))
    except Unreachable as absent:
        try:
            print(_ask(WORKER, settings, host, port))
        except Unreachable as error:
            raise CommandFailed(f"No gateway: {absent} No worker: {error}") from error


def _ask(kind: str, settings: Settings, host: str | None, port: int | None) -> str:
    """Return a sentence on a ready process. Raises CommandFailed for one that is not."""
    is_worker = kind == WORKER
    port = port or (settings.health_port if is_worker else settings.port)
    if not port:
        raise CommandFailed("HEADRACE_HEALTH_PORT is not set: workers here answer no probes.")
    host = host or (settings.health_host if is_worker else settings.host)
    url = url_of(reachable_host(host), port)
    status, answer = call("GET", f"{url}/readyz", timeout=ANSWER_SECONDS)
    if status != OK:
        raise CommandFailed(f"{url} is not ready: {_reason(status, answer)}")
    return f"{url} is ready"


def _reason(status: int, answer: object) -> str:
    if not isinstance(answer, dict):
        return f"it answered {status}"
    return str(answer.get("reason") or answer.get("error") or f"it answered {status}")
