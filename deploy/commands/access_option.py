"""Options of commands that call the API, as one argument."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from deploy.client.server_access import Access
from deploy.commands import options


def access(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of `Access`; the command receives them as one argument, `access`."""

    @wraps(command)
    def call(*, key: str | None, account_id: str | None, data_dir: Path, **arguments: Any) -> None:
        command(access=Access(data_dir=data_dir, key=key, account_id=account_id), **arguments)

    return options.key(options.account(options.data_dir(call)))
