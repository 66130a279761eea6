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
    "--runbooks", metavar="URL", default="", help="Address of a copy of docs/operate/runbooks."
)
def dashboards(folder: Path, url: str | None, runbooks: str) -> None:
    """Write the dashboards of Grafana and the alert rules of Prometheus into FOLDER.

    Former files are replaced. Dashboards are in FOLDER/dashboards, rules in FOLDER/rules.yaml.
    """
    address = load().public_url if url is None else url
    for path in write_all(folder, address, runbooks):
        print(path)
