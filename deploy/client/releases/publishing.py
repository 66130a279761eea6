"""Plans of changes to a workflow: what a file or a draft would change, and what would break."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.client.document_diff import Change, diff_documents
from deploy.client.releases.tested_documents import TESTS, changes_of_tests
from deploy.client.workflows import AccountWorkflows, Row, find_slug
from deploy.output.problems import CommandFailed
from engine.graph.breaking_changes import breaking_changes
from engine.graph.document import Document, parse_document

NOTHING = Document(name="")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlan:
    """Changes of a workflow."""

    slug: str | None
    """None: there is no such workflow yet."""
    against: str
    """The document that is compared: 'version N', 'the draft' or 'nothing'."""
    changes: Sequence[Change]
    breaking: Sequence[str]
    """Sentences about what breaks callers of the live version."""
    revision: int = 0
    """Revision of the draft that is published; 0 for a file."""

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        return {
            "slug": self.slug,
            "against": self.against,
            "changes": list(self.changes),
            "breaking": list(self.breaking),
        }


async def plan_file(
    workflows: AccountWorkflows, body: Mapping[str, Any], slug: str | None = None
) -> ChangePlan:
    """Compare a file with the document that pushing it replaces: the draft if the file says so."""
    slug = slug or find_slug(await workflows.own(), body)
    if slug is None:
        changes = diff_documents(NOTHING, parse_document(body))
        return ChangePlan(slug=None, against="nothing", changes=changes, breaking=())
    live = await workflows.get(slug)
    draft = await workflows.draft(slug) if body.get("draft") else None
    base = _document(live if draft is None else draft)
    after = parse_document(body, base)
    tests: list[Change] = []
    if isinstance(body.get(TESTS), dict):
        tests += changes_of_tests(await workflows.tests(slug), body[TESTS])
    return ChangePlan(
        slug=slug,
        against=_name(live) if draft is None else "the draft",
        changes=[*diff_documents(base, after), *tests],
        breaking=_breaking(live, after),
    )


async def plan_publication(workflows: AccountWorkflows, slug: str) -> ChangePlan:
    """Compare the draft with the live version. Raises CommandFailed without a draft."""
    live, draft = await workflows.get(slug), await workflows.draft(slug)
    if draft is None:
        raise CommandFailed(f"'{slug}' has no draft to publish.")
    after = _document(draft)
    return ChangePlan(
        slug=slug,
        against=_name(live),
        changes=diff_documents(_document(live) if live["version"] else NOTHING, after),
        breaking=_breaking(live, after),
        revision=draft["revision"],
    )


def _name(live: Row) -> str:
    return "the draft" if live["version"] is None else f"version {live['version']}"


def _breaking(live: Row, after: Document) -> Sequence[str]:
    return breaking_changes(_document(live), after) if live["version"] else ()


def _document(row: Row) -> Document:
    return parse_document({**row, "tags": list(row["tags"])})
