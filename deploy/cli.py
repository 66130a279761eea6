"""The `headrace` command: its subcommands, and the report of failures."""

import os
import sys

import click

from deploy.commands.lazy_group import LazyGroup
from deploy.output.problems import CommandFailed, with_reasons

INTERRUPTED = 130
COMMANDS = {
    "account": ("accounts:account", "Create, approve, move, credit and list accounts."),
    "approval": ("approvals:approval", "List approvals that wait for an answer, and answer them."),
    "asset": ("assets:asset", "Upload, list, save and delete media and documents."),
    "audit": ("audit:audit", "List the newest administrative acts, newest first."),
    "backup": ("backup:backup", "Save the Redis and the history of a running stack."),
    "batch": ("batches:batch", "Run a workflow for each row of a file."),
    "dashboards": (
        "dashboards:dashboards",
        "Write dashboards of Grafana, alert rules of Prometheus.",
    ),
    "demo": ("demo:demo", "Make a demonstration account with examples, and run one."),
    "doctor": ("doctor:doctor", "Check the stack and say how to mend what is wrong."),
    "env": ("env:env", "Write an environment file with new secrets."),
    "execution": ("executions:execution", "List, show, cancel, retry and watch runs of workflows."),
    "gateway": ("gateway:gateway", "Run one gateway: the HTTP API on HEADRACE_REDIS_URL."),
    "health": ("health:health", "Ask the gateway or the worker here whether it is ready."),
    "history": ("history:history", "Show and export the history: what is over, in a database."),
    "init": ("init:init", "Mark a Redis as this installation's, once."),
    "key": ("keys:key", "Create, list and revoke API keys."),
    "ledger": ("ledger:ledger", "Check and show the movements of credits."),
    "login-link": ("login:login_link", "Print an address that signs one browser in, once."),
    "mcp": ("mcp:mcp", "Offer workflows as tools over standard streams."),
    "migrate": ("migrate:migrate", "Bring the history's tables and the store to this version."),
    "model": ("models:model", "List, check and try the models that workflows can call."),
    "restore": ("backup:restore", "Restore FILE into an empty data directory."),
    "run": ("run:run", "Run the workflow SLUG and print its result."),
    "secret": ("secrets:secret", "Set, list and delete secrets of an account."),
    "session": ("sessions:session", "List and end the sessions of browsers."),
    "stub-provider": ("stub_provider:stub_provider", "Speak the protocols of model providers."),
    "top": (
        "top:top",
        "Show runs per second, queues, workers, slow node types.",
    ),
    "trigger": ("triggers:trigger", "Run workflows on schedules and for events of services."),
    "up": ("up:up", "Run the whole stack here, until Ctrl-C."),
    "worker": ("worker:worker", "Run one worker process on HEADRACE_REDIS_URL."),
    "workflow": (
        "workflows:workflow",
        "Save, test, publish, replay, list and delete workflows.",
    ),
}
"""Place and short help of each command, as `LazyGroup` takes them."""


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="headrace", prog_name="headrace")
def headrace() -> None:
    """Turn saved AI workflows into API endpoints, on machines of your own."""


def main() -> None:
    """Run the command; a failure is one sentence on standard error, never a traceback."""
    try:
        headrace.main(standalone_mode=False)
    except click.exceptions.Exit as leaving:
        sys.exit(leaving.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of the output has gone; the interpreter's own flush must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        print(f"headrace: {_sentence(error)}", file=sys.stderr)
        sys.exit(1)


def _sentence(error: Exception) -> str:
    from engine.errors import EngineError, Unavailable, WrongStore
    from engine.settings import SettingError

    if isinstance(error, WrongStore):
        return f"{error.seen} {error.fix}"
    if isinstance(error, Unavailable) and error.reason:
        return f"{error.message}. {error.reason}"
    if isinstance(error, EngineError):
        return with_reasons(error.message, error.context.get("problems"))
    if isinstance(error, (CommandFailed, SettingError)):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
    return f"{error}" if type(error) is ValueError else f"{type(error).__name__}: {error}"
