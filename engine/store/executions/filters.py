"""Conditions on the executions of an account, which hold for hot and archived ones alike."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from engine.executions.execution import Execution, ExecutionStatus

ID_START = re.compile(r"[0-9a-f-]{1,36}")
"""Start of an execution's id."""

NONE = "-"
"""Value that stands for the absence of a key or of models; no name is spelled so."""

Row = tuple[int, str]
"""Creation time in milliseconds, and id: lists have the highest row first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFilter:
    """Conditions that an execution must meet, all of them; None and empty stand for any value."""

    statuses: Collection[ExecutionStatus] = ()
    workflow_slug: str | None = None
    version: int | None = None
    """Saved version of the workflow."""
    source: str | None = None
    key_id: str | None = None
    """NONE: a session began it."""
    model_id: str | None = None
    """NONE: it calls no model."""
    http_request_id: str | None = None
    """`X-Request-Id` of the accepted request."""
    error_code: str | None = None
    created_from: int | None = None
    """First creation time in milliseconds."""
    created_to: int | None = None
    """Creation time in milliseconds from which on none matches."""
    id_start: str = ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """Arguments of the script `match_executions`, which leaves times, ids and errors out."""
        return (
            ",".join(self.statuses),
            self.workflow_slug or "",
            "" if self.version is None else str(self.version),
            self.source or "",
            self.key_id or "",
            self.model_id or "",
            self.http_request_id or "",
        )

    @property
    def is_open(self) -> bool:
        """Return whether every execution matches."""
        return not self.needs_record and not self.id_start and self.is_open_in_time

    @property
    def is_open_in_time(self) -> bool:
        """Return whether any creation time matches."""
        return self.created_from is None and self.created_to is None

    @property
    def needs_record(self) -> bool:
        """Return whether creation time and id alone do not tell a match."""
        return any(self.arguments) or self.error_code is not None

    def begin_after(self, position: Row | None) -> Row | None:
        """Return the position after which a list with a cursor's position begins."""
        if self.created_to is None:
            return position
        latest = (self.created_to, "")
        return latest if position is None else min(position, latest)

    def is_over_at(self, row: Row) -> bool:
        """Return whether this row and all that follow were created too early."""
        return self.created_from is not None and row[0] < self.created_from

    def fits_row(self, row: Row) -> bool:
        """Return whether time and id match."""
        return (
            not self.is_over_at(row)
            and (self.created_to is None or row[0] < self.created_to)
            and row[1].startswith(self.id_start)
        )

    def fits_error(self, code: str | None) -> bool:
        """Return whether the code of an execution's error matches."""
        return self.error_code in (None, code)

    def fits_models(self, model_ids: Collection[str]) -> bool:
        """Return whether the called models match."""
        if self.model_id == NONE:
            return not model_ids
        return self.model_id is None or self.model_id in model_ids

    def matches(
        self, execution: Execution, key_id: str | None = None, request_id: str | None = None
    ) -> bool:
        """Return whether an execution, begun with this key by this request, meets all."""
        return (
            self.fits_row((execution.created_at, execution.id))
            and (not self.statuses or execution.status in self.statuses)
            and self.workflow_slug in (None, execution.workflow_slug)
            and self.version in (None, execution.workflow_version)
            and self.source in (None, execution.source)
            and self.key_id in (None, key_id or NONE)
            and self.fits_models(execution.model_ids)
            and self.http_request_id in (None, request_id)
            and self.fits_error((execution.error or {}).get("code"))
        )


EVERY_EXECUTION = ExecutionFilter()
