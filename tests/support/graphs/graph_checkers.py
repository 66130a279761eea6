"""Checkers of graphs for tests."""

from engine.services.expressions import Expressions
from engine.services.workflows.graph_checks import GraphChecker
from engine.values import cel

ANY_URL = GraphChecker(Expressions(), allow_private=True)
"""For graphs without expressions: no process is started."""
PUBLIC_URLS = GraphChecker(Expressions(), allow_private=False)


def judge(expression: cel.Expression) -> str | None:
    """Return the fault of an expression, compiled here."""
    return cel.check(expression.text, expression.variables, is_condition=expression.is_condition)
