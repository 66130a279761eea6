"""Settings of an agent that concern its tools: the list, and those that need an approval."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.net.url_policy import UrlRefused, check_url
from engine.nodes.agents.tool_names import MAX_NAME, fit_name
from engine.nodes.support.base import SecretName
from engine.nodes.support.children import Callee
from engine.nodes.support.children_settings import SLUG, called_workflow
from engine.nodes.support.http_auth import AUTH
from engine.nodes.support.server_settings import SERVER, server_secrets
from engine.nodes.support.settings import Faults, Setting

MAX_ENTRIES = 64
MAX_URL = 2_048
WORKFLOW = called_workflow()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolEntry:
    """Entry of the list `tools`: a workflow, or a server with all its tools or one."""

    position: int
    workflow: str = ""
    server: str = ""
    tool: str | None = None
    raw_auth: Mapping[str, Any] | None = None
    """The authorization as the document has it, if it is valid."""

    @property
    def server_data(self) -> Mapping[str, Any]:
        """Settings of an inner node that calls the server."""
        auth = {} if self.raw_auth is None else {AUTH.name: self.raw_auth}
        return {SERVER.name: self.server, **auth}

    @property
    def name(self) -> str | None:
        """Name of the only tool for the model; None: the server tells its tools."""
        if self.workflow:
            return self.workflow
        return None if self.tool is None else fit_name(self.tool)


def _read_tools(raw: object, path: str, faults: Faults) -> tuple[ToolEntry, ...] | None:
    if not isinstance(raw, list) or len(raw) > MAX_ENTRIES:
        faults.add(path, f"must be a list of at most {MAX_ENTRIES} objects")
        return None
    read = (_read_entry(each, place, f"{path}[{place}]", faults) for place, each in enumerate(raw))
    found = tuple(each for each in read if each is not None)
    names = Counter(each.name for each in found if each.name is not None)
    for name, count in names.items():
        if count > 1:
            reason = (
                f"{path}: {count} tools have the name '{name}'; a model could not tell them apart"
            )
            faults.add_rule(reason, path)
    return found


def _read_entry(raw: object, position: int, path: str, faults: Faults) -> ToolEntry | None:
    if not isinstance(raw, dict) or ("workflow" in raw) == ("server" in raw):
        faults.add(path, "must be an object with either 'workflow' or 'server'")
        return None
    if "workflow" in raw:
        slug = WORKFLOW.parse(raw["workflow"], f"{path}.workflow", faults)
        return None if slug is None else ToolEntry(position=position, workflow=slug)
    server, tool, auth = raw["server"], raw.get("tool"), raw.get("auth")
    if not _is_url(server):
        faults.add_rule(f"{path}.server must be the URL of a server", f"{path}.server")
        return None
    if tool is not None and (not isinstance(tool, str) or not tool):
        faults.add(f"{path}.tool", "must be the name of a tool of the server")
        return None
    read = None if auth is None else AUTH.parse(auth, f"{path}.auth", faults)
    return ToolEntry(
        position=position,
        server=server,
        tool=tool,
        raw_auth=auth if read is not None else None,
    )


def _read_names(raw: object, path: str, faults: Faults) -> tuple[str, ...] | None:
    listed: list[Any] = raw if isinstance(raw, list) else [None]
    are_names = all(isinstance(each, str) and 0 < len(each) <= MAX_NAME for each in listed)
    if not are_names or len(listed) > MAX_ENTRIES:
        faults.add(path, f"must be a list of at most {MAX_ENTRIES} names of tools")
        return None
    return tuple(dict.fromkeys(listed))


TOOLS = Setting(
    name="tools",
    about="Tools that the model may call: workflows of the account, and servers of the Model "
    "Context Protocol with all their tools or one.",
    widget="tools",
    value={
        "type": "array",
        "maxItems": MAX_ENTRIES,
        "items": {
            "type": "object",
            "properties": {
                "workflow": {"type": "string", "pattern": f"^(?:{SLUG})$"},
                "server": {"type": "string", "minLength": 1, "maxLength": MAX_URL},
                "tool": {"type": ["string", "null"]},
                "auth": AUTH.value,
            },
            "oneOf": [{"required": ["workflow"]}, {"required": ["server"]}],
        },
    },
    parse=_read_tools,
    fallback=(),
)
APPROVE = Setting(
    name="approve",
    title="Ask a person before",
    about="Names of tools before whose calls a person is asked.",
    widget="approve",
    value={
        "type": "array",
        "maxItems": MAX_ENTRIES,
        "items": {"type": "string", "minLength": 1, "maxLength": MAX_NAME},
    },
    parse=_read_names,
    fallback=(),
)


def check_approvals(tools: Sequence[ToolEntry], approve: Sequence[str], faults: Faults) -> None:
    """Add a fault for each name to approve that no tool has, where all names are known."""
    names = {each.name for each in tools}
    if None in names:
        return
    for name in approve:
        if name not in names:
            faults.add_rule(f"approve: there is no tool '{name}'", APPROVE.name)


def called_workflows(data: Mapping[str, Any]) -> list[Callee]:
    """Return the workflows that `data` names as tools, even with other invalid settings."""
    entries: Sequence[ToolEntry] = TOOLS.read(data, Faults())
    return [Callee(workflow=each.workflow) for each in entries if each.workflow]


def with_other_workflows(data: Mapping[str, Any], slugs: Mapping[str, str]) -> dict[str, Any]:
    """Return `data` with the slugs of other workflows, by the former ones; others stay."""
    tools, approve = data.get(TOOLS.name), data.get(APPROVE.name)
    changed = dict(data)
    if isinstance(tools, list):
        changed[TOOLS.name] = [_with_other_workflow(each, slugs) for each in tools]
    if isinstance(approve, list):
        changed[APPROVE.name] = [
            slugs.get(each, each) if isinstance(each, str) else each for each in approve
        ]
    return changed


def _with_other_workflow(raw: Any, slugs: Mapping[str, str]) -> Any:
    slug = raw.get("workflow") if isinstance(raw, dict) else None
    return {**raw, "workflow": slugs[slug]} if isinstance(slug, str) and slug in slugs else raw


def secrets_of_tools(data: Mapping[str, Any]) -> Iterator[SecretName]:
    """Yield the secrets that servers get."""
    entries: Sequence[ToolEntry] = TOOLS.read(data, Faults())
    for each in entries:
        yield from server_secrets(each.server_data, f"{TOOLS.name}[{each.position}].")


def _is_url(server: object) -> bool:
    """Return whether a server has a valid URL."""
    if not isinstance(server, str) or not 0 < len(server) <= MAX_URL:
        return False
    try:
        check_url(server, allow_private=True)
    except UrlRefused:
        return False
    return True
