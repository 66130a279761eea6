"""`headrace workflow diff|publish|versions|restore|pull`: drafts, versions, documents in files."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from deploy.client.document_diff import lines_of
from deploy.client.document_files import document_text, read_document
from deploy.client.releases.publishing import ChangePlan, plan_file, plan_publication
from deploy.client.selection import with_workflows
from deploy.client.server_access import Access
from deploy.client.workflows import AccountWorkflows, Row, called_documents
from deploy.commands import options
from deploy.commands.access_option import access
from deploy.commands.workflow_aliases import rule_of, rule_options
from deploy.output.problems import CommandFailed
from deploy.output.tables import printable, show

DIFFERS = 3
"""Exit code of `diff` where there are changes."""
SAVED = ("slug", "name", "version", "updatedAt")
PUBLISHED = ("slug", "name", "version", "canary")
VERSIONS = ("version", "isLive", "isCanary", "aliases", "createdAt", "nodeCount", "note")
slug_argument = click.argument("slug")
confirmed = click.option("--yes", is_flag=True, help="Do not ask.")
file_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.command()
@file_argument
@click.argument("slug", required=False)
@access
@options.as_json
def diff(file: Path, slug: str | None, access: Access, as_json: bool) -> None:
    """Show the changes that pushing a file would make; exit with 3 if there are some.

    The file is compared with the live version, or with the draft if the file says `"draft": true`.
    """
    document = read_document(file)
    plan = with_workflows(access, lambda own: plan_file(own, document, slug))
    _show_plan(plan, as_json=as_json)
    if plan.changes:
        sys.exit(DIFFERS)


@click.command()
@slug_argument
@click.option("--note", help="A note for the list of versions.")
@click.option("--force", is_flag=True, help="Publish it though it breaks callers.")
@click.option("--require-tests", is_flag=True, help="Only if all tests passed on this draft.")
@rule_options("--canary")
@confirmed
@access
@options.as_json
def publish(
    slug: str,
    note: str | None,
    force: bool,
    require_tests: bool,
    yes: bool,
    access: Access,
    as_json: bool,
    **rule: Any,
) -> None:
    """Show what publishing the draft changes and breaks, ask, and publish it.

    With --canary the version gets this share of the runs in percent, beside the live one.
    """
    canary = rule_of(**rule, option="--canary")
    plan = with_workflows(access, lambda own: plan_publication(own, slug))
    if not as_json:
        _show_plan(plan, as_json=False)
    if plan.breaking and not force:
        raise CommandFailed(
            f"Callers of '{slug}' would break: {'; '.join(plan.breaking)}. "
            "Publish it all the same with --force."
        )
    _confirm(f"Publish '{slug}'?", yes=yes)
    members = {"note": note, "force": force, "requireTests": require_tests} | (
        {} if canary is None else {"canary": canary.members()}
    )
    saved = with_workflows(access, lambda own: own.publish(slug, plan.revision, members))
    if canary is None or as_json:
        show(saved, as_json=as_json, columns=SAVED)
    else:
        # Without its share the version would look like the one that all callers have now.
        show({**saved, "canary": f"{canary.percent} % of runs"}, as_json=False, columns=PUBLISHED)


@click.command()
@slug_argument
@access
@options.as_json
def versions(slug: str, access: Access, as_json: bool) -> None:
    """List the versions that are kept, newest first."""
    rows = with_workflows(access, lambda own: own.versions(slug))
    show(rows, as_json=as_json, columns=VERSIONS)


@click.command()
@slug_argument
@click.argument("version", type=click.IntRange(1))
@confirmed
@access
@options.as_json
def restore(slug: str, version: int, yes: bool, access: Access, as_json: bool) -> None:
    """Publish a former version as a new one; a draft stays as it is."""
    _confirm(f"Publish version {version} of '{slug}' again?", yes=yes)
    saved = with_workflows(access, lambda own: own.restore(slug, version))
    show(saved, as_json=as_json, columns=SAVED)


@click.command()
@slug_argument
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--draft", "is_draft", is_flag=True, help="Take the draft, not the live version.")
@click.option(
    "--with-called",
    is_flag=True,
    help="The workflows that it calls too, each as SLUG.json beside the file.",
)
@access
@options.as_json
def pull(
    slug: str,
    file: Path | None,
    is_draft: bool,
    with_called: bool,
    access: Access,
    as_json: bool,
) -> None:
    """Write a document into a file, SLUG.json by default, in an order that stays the same."""

    async def read(own: AccountWorkflows) -> list[Row]:
        document = await (own.draft(slug) if is_draft else own.get(slug))
        if document is None:
            raise CommandFailed(f"'{slug}' has no draft.")
        document = await own.with_tests(document)
        shown = document | {"draft": True} if is_draft else document
        return [shown, *(await called_documents(own, shown) if with_called else ())]

    documents = with_workflows(access, read)
    target = file or Path(f"{slug}.json")
    files = [target, *(target.with_name(f"{each['slug']}.json") for each in documents[1:])]
    for place, document in zip(files, documents, strict=True):
        place.write_text(document_text(document), "utf-8")
    rows = [
        {"slug": document["slug"], "file": str(place)}
        for place, document in zip(files, documents, strict=True)
    ]
    show(rows if with_called else rows[0], as_json=as_json, columns=("slug", "file"))


def _show_plan(plan: ChangePlan, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(plan.as_dict(), ensure_ascii=False))
        return
    print(f"{plan.slug or 'A new workflow'} against {plan.against}:")
    for line in lines_of(plan.changes):
        print(printable(line))
    for sentence in plan.breaking:
        print(printable(f"! breaks callers: {sentence}"))
    if not plan.changes:
        print("No changes.")


def _confirm(question: str, *, yes: bool) -> None:
    """Ask on a terminal. Raises CommandFailed where nobody can be asked."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise CommandFailed("Nobody can be asked here: say --yes.")
    click.confirm(question, abort=True)


commands = (diff, publish, versions, restore, pull)
