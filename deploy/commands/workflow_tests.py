"""`headrace workflow test`: the tests of a workflow, for people and continuous integration."""

import asyncio
import sys
from pathlib import Path

import click

from deploy.client.api import Answer
from deploy.client.releases.junit import junit_xml
from deploy.client.releases.testing import WorkflowTesting, report_tests
from deploy.client.selection import open_api
from deploy.client.server_access import Access
from deploy.commands import options
from deploy.commands.access_option import access


@click.command("test")
@click.argument("slug")
@click.option(
    "--version",
    metavar="VERSION",
    help="A number, an alias or draft.  [default: the draft, else the live version]",
)
@click.option("--name", "names", multiple=True, metavar="NAME", help="A test.  May be repeated.")
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write JUnit XML to FILE too.",
)
@access
@options.as_json
def run_tests(
    slug: str,
    version: str | None,
    names: tuple[str, ...],
    junit: Path | None,
    access: Access,
    as_json: bool,
) -> None:
    """Run the tests of the workflow SLUG, and exit with 1 unless all pass.

    Each test that does not pass is shown with its expectations and the values that they saw.
    """

    async def work() -> Answer:
        async with open_api(access) as api:
            shows = sys.stderr.isatty()
            return await WorkflowTesting(api).run(slug, version, names, shows=shows)

    run = asyncio.run(work())
    if junit is not None:
        junit.write_bytes(junit_xml(run))
    sys.exit(report_tests(run, as_json=as_json))
