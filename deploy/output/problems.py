"""Expected failures of commands: a sentence for the person at the terminal."""

from typing import Any


class CommandFailed(Exception):
    """The command failed; the message is one sentence with the reason."""


class WrongRedis(CommandFailed):
    """The Redis lacks this installation's data; `seen` and `fix` have the details."""

    def __init__(self, seen: str, fix: str) -> None:
        self.seen = seen
        self.fix = fix
        super().__init__(f"{seen} {fix}")


class SchemaRefused(WrongRedis):
    """The Redis has a schema that this version of Headrace does not know."""


class ApiRefused(CommandFailed):
    """The API answered with an error, about a subject such as a file."""

    def __init__(self, status: int, answer: object, subject: str = "") -> None:
        self.status = status
        self.answer = answer
        self.code = answer.get("code") if isinstance(answer, dict) else None
        sentence = _sentence(status, answer)
        super().__init__(f"{subject}: {sentence}" if subject else sentence)


def with_reasons(message: str, problems: object) -> str:
    """Return the sentence, followed by every problem of a graph."""
    if not isinstance(problems, list):
        return message
    return f"{message}: {'; '.join(_reason(problem) for problem in problems)}"


def _sentence(status: int, answer: object) -> str:
    if not isinstance(answer, dict) or "error" not in answer:
        return f"The API answered {status}."
    return with_reasons(str(answer["error"]), answer.get("problems"))


def _reason(problem: dict[str, Any]) -> str:
    place = " › ".join(problem.get("path", ())) or problem.get("nodeId") or problem.get("edgeId")
    return f"{place}: {problem['reason']}" if place else problem["reason"]
