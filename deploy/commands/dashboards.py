"""`headrace dashboards`: files with which Grafana and Prometheus watch an installation."""

from pathlib import Path

import click

from deploy.dashboards.written import write_all
from engine.settings import load


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--url",
    metavar="URL",
    help="Headrace's address for browsers.  [default: HEADRACE_PUBLIC_URL]",
)
@click.option(
    "--runbooks", metavar="URL", default="", help="Address of FOLDER/runbooks, for links."
)
def dashboards(folder: Path, url: str | None, runbooks: str) -> None:
    """Write dashboards of Grafana, alert rules of Prometheus and runbooks into FOLDER.

    Former files are replaced. They are FOLDER/dashboards/*.json, FOLDER/rules.yaml,
    FOLDER/rules_test.yaml and FOLDER/runbooks/*.md.
    """
    address = load().public_url if url is None else url
    for path in write_all(folder, address, runbooks):
        print(path)
