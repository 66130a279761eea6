"""Run of a batch from the terminal: options, start, and wait."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.client.api import Answer
from deploy.client.batches.caller import BatchCaller
from deploy.client.batches.following import counts_text, follow_batch
from deploy.client.batches.item_files import read_items
from deploy.client.batches.result_files import check_output, write_results
from deploy.client.interruption import BATCH, Interruption
from deploy.client.reports import tell, warn
from deploy.client.selection import open_api
from deploy.client.server_access import Access


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """Options of `headrace batch run`."""

    slug: str
    file: Path
    tags: tuple[str, ...]
    concurrency: int | None
    watch: bool
    output: Path | None
    as_json: bool

    def members(self) -> dict[str, Any]:
        """Return the members of the body beside the items."""
        concurrency = {} if self.concurrency is None else {"concurrency": self.concurrency}
        return {**({"tags": list(self.tags)} if self.tags else {}), **concurrency}


async def run_batch(options: BatchOptions, access: Access) -> int:
    """Start the batch of a file, and wait for its end if asked to; return the exit code."""
    if options.output is not None:
        check_output(options.output)
    async with open_api(access) as api:
        caller, interruption = BatchCaller(api), Interruption(access, BATCH)
        file = read_items(options.file, await caller.workflows.field_types(options.slug))
        with interruption.reported():
            started = await interruption.started(
                caller.start(options.slug, file, options.members())
            )
            warn(started)
            if options.watch or options.output is not None:
                batch = await follow_batch(caller, started["batchId"], shows=options.watch)
                return await report_batch(
                    caller, batch, output=options.output, as_json=options.as_json
                )
    print(json.dumps(started) if options.as_json else started["batchId"])
    return 0


async def report_batch(
    caller: BatchCaller, batch: Answer, *, output: Path | None, as_json: bool
) -> int:
    """Write the results of an ended batch and print its outcome; return the exit code."""
    if output is not None:
        await write_results(output, caller.items(batch["batchId"]))
    if as_json:
        print(json.dumps(batch, ensure_ascii=False))
    else:
        print(f"{batch['batchId']}  {batch['status']}: {counts_text(batch)}")
    counts = batch["counts"]
    if batch["status"] == "completed" and counts["completed"] == sum(counts.values()):
        return 0
    tell(f"Not every item of the batch {batch['batchId']} completed: {counts_text(batch)}.")
    return 1
