"""Expected errors of the engine, each with the code that callers see.

| module | errors |
|---|---|
| `base.py` | `EngineError`, the root |
| `requests.py` | requests that are malformed or too large |
| `access.py` | callers who are unknown, or may not do this |
| `money.py` | runs that are not paid for |
| `missing.py` | resources that do not exist, or not any more |
| `conflicts.py` | resources in another state than the request needs; runs that have failed |
| `capacity.py` | requests that cannot be taken now |
| `nodes.py` | failures of a node, which go on record instead of to the caller |

A class with the code of a new kind is all that it takes: it is collected below, its base decides on
the HTTP status (`gateway/http/errors.py`), and `examples` describe it.
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
"""All of them, by module."""
