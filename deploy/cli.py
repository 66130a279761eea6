"""The `headrace` command: its subcommands, and the report of failures."""

import os
import sys

import click

from deploy.commands.accounts import account
from deploy.commands.audit import audit
from deploy.commands.doctor import doctor
from deploy.commands.executions import execution
from deploy.commands.history import history, migrate
from deploy.commands.init import init
from deploy.commands.keys import key
from deploy.commands.ledger import ledger
from deploy.commands.login import login_link
from deploy.commands.models import model
from deploy.commands.parts import gateway, up, worker
from deploy.commands.run import run
from deploy.commands.secrets import secret
from deploy.commands.sessions import session
from deploy.commands.stub_provider import stub_provider
from deploy.commands.workflows import workflow
from deploy.problems import CommandFailed, with_reasons

INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="headrace", prog_name="headrace")
def headrace() -> None:
    """Turn saved AI workflows into API endpoints, on machines of your own."""


for command in (
    up,
    init,
    run,
    execution,
    doctor,
    account,
    key,
    secret,
    login_link,
    session,
    audit,
    workflow,
    model,
    ledger,
    migrate,
    history,
    gateway,
    worker,
    stub_provider,
):
    headrace.add_command(command)


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
    from engine.errors import EngineError, WrongStore
    from engine.settings import SettingError

    if isinstance(error, WrongStore):
        return f"{error.seen} {error.fix}"
    if isinstance(error, EngineError):
        return with_reasons(error.message, error.context.get("problems"))
    if isinstance(error, (CommandFailed, SettingError)):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
    return f"{error}" if type(error) is ValueError else f"{type(error).__name__}: {error}"
