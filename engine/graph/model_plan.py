"""Plan of a run of one model: Request Input, Custom Model, Response Output."""

from typing import Any

from engine.graph.plan import NodeName, Plan, compile_plan
from engine.models.manifest import PARAMS, Model
from engine.models.transcripts import SEGMENTS, TEXT
from engine.nodes.custom_model import CustomModel
from engine.nodes.request_input import RequestInput
from engine.nodes.response_output import RESULT_IN, ResponseOutput
from engine.nodes.support.fan_out import PARAMS_IN
from engine.nodes.support.transcripts import SEGMENTS_OUT, TEXT_OUT
from engine.process.lru_cache import LruCache
from engine.values.fields import SOCKETS

INPUT, MODEL, OUTPUT = "input", "model", "output"
NAMES = (
    NodeName(id=INPUT, type=RequestInput.type),
    NodeName(id=MODEL, type=CustomModel.type),
    NodeName(id=OUTPUT, type=ResponseOutput.type),
)
"""Names of the nodes in plan order."""

PLANS_KEPT = 512
_plans: LruCache[str, tuple[Model, Plan]] = LruCache(PLANS_KEPT)


def model_plan(model: Model) -> Plan:
    """Return the cached plan of a model in the registry. Raises InvalidGraph."""
    known = _plans.get(model.internal_name)
    if known is not None and known[0] is model:
        return known[1]
    plan = _compile(model)
    _plans.put(model.internal_name, (model, plan))
    return plan


def _compile(model: Model) -> Plan:
    fields = [field.as_dict() for field in model.fields]
    nodes = [
        _node(INPUT, RequestInput.type, fields=fields),
        _node(MODEL, CustomModel.type, model=model.internal_name),
        _node(OUTPUT, ResponseOutput.type, **_results(model)),
    ]
    edges = [
        *(
            _edge(INPUT, field.name, MODEL, f"{field.name}-in")
            for field in model.fields
            if field.type in SOCKETS
        ),
        _edge(INPUT, PARAMS, MODEL, PARAMS_IN),
        *_result_edges(model),
    ]
    return compile_plan(nodes, edges)


def _results(model: Model) -> dict[str, Any]:
    """Return the settings of the Response Output: a transcript has two members by name."""
    names = (TEXT, SEGMENTS) if model.is_transcriber else ()
    return {"fields": [{"name": name} for name in names]} if names else {}


def _result_edges(model: Model) -> list[dict[str, str]]:
    if model.is_transcriber:
        return [
            _edge(MODEL, TEXT_OUT, OUTPUT, TEXT),
            _edge(MODEL, SEGMENTS_OUT, OUTPUT, SEGMENTS),
        ]
    return [_edge(MODEL, f"{model.category}-out", OUTPUT, RESULT_IN)]


def _node(node_id: str, kind: str, **data: Any) -> dict[str, Any]:
    return {"id": node_id, "type": kind, "data": data}


def _edge(source: str, output: str, target: str, socket: str) -> dict[str, str]:
    return {
        "id": f"{source}.{output}",
        "source": source,
        "sourceHandle": output,
        "target": target,
        "targetHandle": socket,
    }
