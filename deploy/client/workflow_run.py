"""Run of a workflow from the terminal: options, start and wait."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.client.api import Answer, Api
from deploy.client.assets.caller import save_media
from deploy.client.callers import WorkflowCaller
from deploy.client.inputs import parse_inputs, upload_files
from deploy.client.interruption import Interruption
from deploy.client.reports import report, tell, warn
from deploy.client.selection import open_api
from deploy.client.server_access import Access
from deploy.client.watching import follow, watch


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options of `headrace run`."""

    slug: str
    inputs: tuple[str, ...]
    tags: tuple[str, ...] = ()
    in_background: bool
    watch: bool
    save: Path | None = None
    """Folder for the media of the result."""
    as_json: bool


async def run_workflow(options: RunOptions, access: Access) -> int:
    """Run the workflow; return the exit code."""
    async with open_api(access) as api:
        caller = WorkflowCaller(api)
        inputs = await _inputs(caller, options)
        interruption = Interruption(access)
        with interruption.reported():
            if options.watch:
                execution = await watch(
                    caller, options.slug, inputs, interruption.set_id, options.tags
                )
                return await _end(api, execution, options)
            started = await interruption.started(caller.start(options.slug, inputs, options.tags))
            if not options.in_background:
                execution = await follow(caller, started["executionId"])
                return await _end(api, execution, options)
    warn(started)
    print(json.dumps(started) if options.as_json else started["executionId"])
    return 0


async def _end(api: Api, execution: Answer, options: RunOptions) -> int:
    """Report an ended execution, and save the media of its result; return the exit code."""
    code = report(execution, as_json=options.as_json)
    if options.save is not None:
        for file in await save_media(api, execution, options.save):
            tell(f"Saved {file}.")
    return code


async def _inputs(caller: WorkflowCaller, options: RunOptions) -> dict[str, Any]:
    if not options.inputs:
        return {}
    types = await caller.field_types(options.slug)
    return await upload_files(parse_inputs(options.inputs, types), caller.upload)
