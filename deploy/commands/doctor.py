"""`headrace doctor`: checks of a stack, with the fix for each problem."""

import asyncio
import json
import sys
from pathlib import Path

import click

from deploy.admin.diagnosis import examine
from deploy.commands import options

WORDS = {"ok": "ok   ", "warning": "warn ", "failed": "WRONG"}


@click.command()
@options.data_dir
@options.as_json
def doctor(data_dir: Path, as_json: bool) -> None:
    """Check the stack and say how to mend what is wrong."""
    checks = asyncio.run(examine(data_dir))
    is_well = all(check.is_well for check in checks)
    if as_json:
        print(json.dumps({"ok": is_well, "checks": [check.as_dict() for check in checks]}))
    else:
        for check in checks:
            print(f"{WORDS[check.state]}  {check.name}: {check.seen}")
            if check.needs_fix:
                print(f"       {check.fix}")
    sys.exit(0 if is_well else 1)
