"""Walks of children of pure nodes as they begin, for the feeder of their group."""

from engine.graph.plan import Plan
from engine.services.runs.pure_children import PureWalk
from workers.walk.fast.pure_plans import PurePlan


def walk_pure(plan: Plan, packed_inputs: bytes, max_bytes: int) -> PureWalk | None:
    """Walk a child; None when it needs a claim: a node has failed, or values are too large."""
    pure_plan = PurePlan.prepare(plan)
    if pure_plan is None:
        return None
    walked = pure_plan.walk_child(packed_inputs, max_bytes)
    if walked is not None:
        pure_plan.count()
    return walked
