"""Errors of authentication and authorization."""

from engine.errors.base import EngineError


class Unauthorized(EngineError):
    """The key is missing, unknown, malformed or deleted; all cases look the same to callers."""

    code = None

    def __init__(self) -> None:
        super().__init__("Unauthorized")


Unauthorized.examples = (Unauthorized(),)


class InvalidSignature(EngineError):
    """The signature, the token or the time stamp of an inbound event is not good.

    The sentence is one for all reasons, so that it helps no one who guesses.
    """

    code = "INVALID_SIGNATURE"

    def __init__(self) -> None:
        super().__init__("The signature is not valid")


InvalidSignature.examples = (InvalidSignature(),)


class Forbidden(EngineError):
    """The caller is authenticated but not authorized."""

    code = "FORBIDDEN"


class OriginDenied(Forbidden):
    """A page of another site calls a path for programs."""

    code = "ORIGIN_DENIED"

    def __init__(self) -> None:
        super().__init__("Pages of this origin may not call this path; an operator may list it")


OriginDenied.examples = (OriginDenied(),)


class CapabilityDenied(Forbidden):
    """The caller lacks a capability; `required` names the general one."""

    code = "CAPABILITY_DENIED"

    def __init__(self, required: str, message: str = "") -> None:
        sentence = message or f"This key lacks the capability '{required}'"
        super().__init__(sentence, required=required)


CapabilityDenied.examples = (CapabilityDenied("workflow:run"),)


class CapabilityAboveCeiling(Forbidden):
    """A capability exceeds the ceiling of the account's tier."""

    code = "CAPABILITY_ABOVE_CEILING"

    def __init__(self, attempted: str, tier: str) -> None:
        super().__init__(f"The tier '{tier}' cannot grant '{attempted}'", attempted=attempted)


CapabilityAboveCeiling.examples = (CapabilityAboveCeiling("model:run", "pro"),)


class ApiKeyAccessDenied(Forbidden):
    """The account's tier has no API keys."""

    code = "API_KEY_ACCESS_DENIED"

    def __init__(self, tier: str) -> None:
        super().__init__(f"The tier '{tier}' has no API keys")


ApiKeyAccessDenied.examples = (ApiKeyAccessDenied("free"),)


class AccountNotApproved(Forbidden):
    """The account is not approved yet, so it may read but neither write nor run."""

    code = "ACCOUNT_NOT_APPROVED"

    def __init__(self) -> None:
        super().__init__(
            "This account has not been approved yet: it may read, but not write or run"
        )


AccountNotApproved.examples = (AccountNotApproved(),)


class ModelTierRequired(Forbidden):
    """The model needs a higher tier, which `required` names."""

    code = "MODEL_TIER_REQUIRED"

    def __init__(self, model: str | None, required: str, tier: str) -> None:
        """`model` is None where the caller may not know it."""
        subject = "The workflow" if model is None else f"The model '{model}'"
        message = f"{subject} needs the tier '{required}'; this account has '{tier}'"
        named = {} if model is None else {"model": model}
        super().__init__(message, **named, required=required, tier=tier)


ModelTierRequired.examples = (ModelTierRequired("photo-pro", "business", "pro"),)


class NotOwner(Forbidden):
    """A caller other than its owner tries to change a template."""

    code = "NOT_OWNER"

    def __init__(self) -> None:
        super().__init__("Only the owner of this template may change it")


NotOwner.examples = (NotOwner(),)


class SessionRequired(Forbidden):
    """The endpoint needs a browser session; no API key can call it."""

    code = "SESSION_REQUIRED"

    def __init__(self) -> None:
        super().__init__("This needs a signed-in browser session, not an API key")


SessionRequired.examples = (SessionRequired(),)


class CsrfFailed(Forbidden):
    """A write with a session lacks the proof that it comes from our own pages."""

    code = "CSRF_FAILED"


CsrfFailed.examples = (CsrfFailed("This write comes from another site"),)
