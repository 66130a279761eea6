"""All metrics that a process counts, in a registry of its own.

| module | metrics of |
|---|---|
| `requests.py` | gateways: requests, callers that wait |
| `executions.py` | executions, their nodes and hints, the slots and the memory of workers |
| `providers.py` | calls to providers |
| `triggers.py` | occurrences of triggers, waits of nodes |
| `deliveries.py` | webhooks |
| `releases.py` | canaries |
| `history.py` | archiving |
| `processes.py` | processes: memory, CPU, lag, Redis's answers, background tasks, logs and spans |

Metrics of the store's state are in `engine/services/metrics/facts.py`. Labels have bounded sets of
values; no label names an account, a workflow, a model or a key.
"""

from engine.telemetry.metrics.declaring import *
from engine.telemetry.metrics.deliveries import *
from engine.telemetry.metrics.executions import *
from engine.telemetry.metrics.history import *
from engine.telemetry.metrics.processes import *
from engine.telemetry.metrics.providers import *
from engine.telemetry.metrics.releases import *
from engine.telemetry.metrics.requests import *
from engine.telemetry.metrics.triggers import *
