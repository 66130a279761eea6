"""Causes of failed executions: one of a few words for each error code, as metrics count them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class FailureCause(StrEnum):
    """Cause of a failed execution."""

    CALLER = "caller"
    """The workflow, its inputs, or the secrets and media of its account."""
    PROVIDER = "provider"
    TIMEOUT = "timeout"
    MONEY = "money"
    INTERNAL = "internal"
    """A fault of the installation."""
    OTHER = "other"
    """A server that the workflow calls, a place for media, or a code that is unknown here."""


CODES: Mapping[FailureCause, frozenset[str]] = {
    FailureCause.PROVIDER: frozenset(
        {
            *("PROVIDER_RATE_LIMITED", "PROVIDER_UNAVAILABLE", "PROVIDER_REJECTED"),
            *("PROVIDER_UNKNOWN", "PROVIDER_BAD_RESPONSE"),
        }
    ),
    FailureCause.TIMEOUT: frozenset({"timeout", "PROVIDER_TIMEOUT", "approval_timeout"}),
    FailureCause.MONEY: frozenset({"INSUFFICIENT_CREDITS", "MAX_CREDITS_EXCEEDED"}),
    FailureCause.INTERNAL: frozenset(
        {
            *("INTERNAL_ERROR", "internal_error", "worker_lost", "no_worker_can_run"),
            "not_installed",
        }
    ),
    FailureCause.OTHER: frozenset(
        {
            *("connection_failed", "http_status", "bad_response", "response_too_large"),
            *("storage_error", "cancelled", "left", "tool_failed", "tool_refused"),
            "tool_input_required",
        }
    ),
    FailureCause.CALLER: frozenset(
        {
            *("url_blocked", "header_blocked", "outbound_limit", "invalid_value"),
            *("invalid_inputs", "too_many_waits", "approval_forbidden", "workflow_not_found"),
            *("loop_detected", "too_many_children", "output_missing", "bad_media"),
            *("invalid_output", "secret_missing", "secret_invalid", "secret_kept"),
            *("secret_exposed", "template_error", "expression_error", "resource_exhausted"),
            *("run_too_large", "asset_not_found", "model_gone", "max_steps", "max_credits"),
            *("tool_names_collide", "tool_not_found", "too_many_tools"),
            *("model_takes_no_tools", "replay_unmatched", "document_unreadable"),
        }
    ),
}
_CAUSES = {code: cause for cause, codes in CODES.items() for code in codes}


def cause_of(error: Mapping[str, Any] | None) -> FailureCause:
    """Return the cause that the error of an execution tells: by its node's code, if it has one."""
    code = "" if error is None else error.get("nodeCode") or error.get("code")
    return _CAUSES.get(str(code), FailureCause.OTHER)
