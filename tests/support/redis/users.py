"""Users of Redis with the rights that the documentation names, and the commands of the code."""

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import redis

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "operate" / "redis-users.md"
PASSWORD = "of-the-tests"
AT_SENTINEL = ("-p", "26379")
"""Options of `redis-cli` in commands to a sentinel."""
SENDERS = ("send", "send_to_all", "post", "request", "pack", "execute", "execute_command")
"""Functions whose first arguments are the words of a command."""
FOLDERS = ("engine", "gateway", "workers", "deploy")
FOR_BACKUPS = ("/snapshot/", "backup")
"""Parts of the names of modules that copy whole servers."""
WITH_SUBCOMMANDS = ("XINFO", "CLIENT", "SCRIPT", "MEMORY", "CLUSTER", "SENTINEL", "ACL", "CONFIG")


def read_rules(user: str, place: Sequence[str] = ()) -> list[str]:
    """Return the rules of a user of the page: those of the first command for it at a place."""
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.S)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    begin = ["redis-cli", *place, "ACL", "SETUSER", user]
    found = (words for words in map(shlex.split, lines) if words[: len(begin)] == begin)
    return next(found)[len(begin) :]


def read_commands(user: str) -> set[str]:
    """Return the commands that a user of the page may send, `NAME` or `NAME|SUBCOMMAND`."""
    return {rule[1:].upper() for rule in read_rules(user) if rule.startswith("+")}


def add_user(client: redis.Redis, user: str, place: Sequence[str] = ()) -> None:
    """Add a user of the page to a server, with the password of the tests."""
    rules = [rule.replace(">PASSWORD", f">{PASSWORD}") for rule in read_rules(user, place)]
    client.execute_command("ACL", "SETUSER", user, *rules)


def read_denials(client: redis.Redis) -> list[tuple[str, str, str]]:
    """Return the log of refusals: user, reason and the command, key or channel of each."""
    entries: Any = client.acl_log()
    return [(each["username"], each["reason"], each["object"]) for each in entries]


def find_sent(known: set[str], *, by_backups: bool = False) -> set[str]:
    """Return the commands of the server that the code and the scripts send.

    Those of copies of a whole server are apart.
    """
    found = set() if by_backups else set(_in_scripts())
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            name = path.relative_to(ROOT).as_posix()
            is_backup = any(word in name for word in FOR_BACKUPS)
            if "node_modules" not in path.parts and is_backup == by_backups:
                found.update(_in_python(ast.parse(path.read_text(encoding="utf-8"))))
    return {name for name in found if name.partition("|")[0] in known}


def _in_scripts() -> Iterator[str]:
    for path in (ROOT / "engine" / "lua").rglob("*.lua"):
        yield from re.findall(r"redis\.p?call\(\s*'([A-Z]+)'", path.read_text())


def _in_python(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if isinstance(node.func, ast.Name):
            name = node.func.id
        if name in SENDERS:
            yield from _command(_words(node.args))


def _words(arguments: list[ast.expr]) -> list[str]:
    """Return the leading words of a command that are constants."""
    words = []
    for each in arguments:
        if isinstance(each, ast.Starred) and isinstance(each.value, ast.Tuple):
            return words + _words(each.value.elts)
        if not isinstance(each, ast.Constant) or not isinstance(each.value, str):
            break
        words.append(each.value)
    return words


def _command(words: list[str]) -> Iterator[str]:
    if words and words[0].isupper():
        count = 2 if words[0] in WITH_SUBCOMMANDS else 1
        yield "|".join(words[:count])
