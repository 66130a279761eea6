"""Errors of handlers in the words of this API: the library would answer with the text of any."""

import logging
from typing import Any

from mcp.server.context import CallNext, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR
from pydantic import ValidationError

from engine.errors import EngineError

logger = logging.getLogger(__name__)

FAULT = "INTERNAL_ERROR: Something went wrong on our side"


def as_protocol_error(error: EngineError) -> MCPError:
    """Return the protocol's error with the code and sentence that the API would answer."""
    return MCPError(INTERNAL_ERROR, f"{error.code or 'ERROR'}: {error.message}")


async def answer_failures(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> Any:
    """Turn other errors of a handler into the protocol's. A fault of ours is logged, not told."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except EngineError as error:
        raise as_protocol_error(error) from None
    except Exception:
        logger.exception("a request of MCP failed", extra={"method": ctx.method})
        raise MCPError(INTERNAL_ERROR, FAULT) from None
