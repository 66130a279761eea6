"""Expected errors of the engine, each with the code that callers see.

| module | errors |
|---|---|
| `base.py` | `EngineError`, the root |
| `requests.py` | requests that are malformed or too large |
| `access.py` | callers without a valid key or the permission |
| `money.py` | runs without the credits or the trial for them |
| `missing.py` | resources that do not exist or exist no more |
| `conflicts.py` | resources in another state than the request needs; runs that have failed |
| `capacity.py` | requests that must wait or be repeated |
| `nodes.py` | failures of a node, which go on record instead of to the caller |

A new error needs only its class with a code: it is collected below, its base decides on the HTTP
status (`gateway/http/errors.py`), and `examples` describe it.
"""

from engine.errors.access import *
from engine.errors.base import *
from engine.errors.capacity import *
from engine.errors.conflicts import *
from engine.errors.missing import *
from engine.errors.money import *
from engine.errors.requests import *

ERRORS: tuple[type[EngineError], ...] = tuple(
    each for each in globals().values() if isinstance(each, type) and issubclass(each, EngineError)
)
"""All error classes, by module."""
