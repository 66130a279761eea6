"""Runs of rows' tests: each is a file of JUnit XML in build/proofs, with its commit and machine."""

import datetime
import os
import platform
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tests.catalogue.repository import ROOT, short

PROOFS = ROOT / "build" / "proofs"
OUTCOMES = {"failure": "failed", "error": "failed", "skipped": "skipped"}
WHY_LETTERS = 300
TEMPORARY = re.compile(r"/tmp/\S+")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A test case as it ended."""

    name: str
    rows: frozenset[str]
    outcome: str
    seconds: float
    why: str = ""
    figures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of the tests of some rows, to its end."""

    rows: tuple[str, ...]
    ended: str
    commit: str
    machine: str
    cases: tuple[Case, ...]


def new_path() -> Path:
    """Return the path of the XML of a run that begins now."""
    PROOFS.mkdir(parents=True, exist_ok=True)
    return PROOFS / f"{_now():%Y%m%dT%H%M%SZ}-{os.getpid()}.xml"


def part(path: Path, place: str) -> Path:
    """Return the path of the XML that one process of a run writes."""
    return path.with_suffix(f".{place or 'tests'}.part")


def sign(path: Path, ids: Iterable[str], commit: str) -> None:
    """Join the parts of a run; add its rows, the time, the commit at its begin and the machine."""
    signed = {
        "rows": " ".join(ids),
        "ended": f"{_now():%Y-%m-%d %H:%M}",
        "commit": commit,
        "machine": machine(),
    }
    joined = ElementTree.Element("testsuites")
    properties = ElementTree.SubElement(joined, "properties")
    for name, value in signed.items():
        ElementTree.SubElement(properties, "property", name=name, value=value)
    for each in sorted(path.parent.glob(f"{path.stem}.*.part")):
        joined.extend(ElementTree.parse(each).iter("testsuite"))
        each.unlink()
    ElementTree.ElementTree(joined).write(path, encoding="utf-8", xml_declaration=True)


def machine() -> str:
    """Return the machine in words: cores, memory, system, Python."""
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores, {gigabytes:.0f} GB, {platform.system()}"
        f" {platform.machine()}, Python {platform.python_version()}"
    )


def read(folders: Iterable[Path]) -> list[Run]:
    """Return the runs of folders, oldest first, without those that were broken off."""
    found = [_read_run(path) for folder in folders for path in sorted(folder.glob("*.xml"))]
    return sorted(found, key=lambda run: run.ended)


def _read_run(path: Path) -> Run:
    root = ElementTree.parse(path).getroot()
    signed = dict(_properties(root))
    return Run(
        rows=tuple(signed["rows"].split()),
        ended=signed["ended"],
        commit=short(signed["commit"]),
        machine=signed["machine"],
        cases=tuple(map(_read_case, root.iter("testcase"))),
    )


def _read_case(element: ElementTree.Element) -> Case:
    ended = [child for child in element if child.tag in OUTCOMES]
    found = list(_properties(element))
    return Case(
        name=f"{element.get('classname')}::{element.get('name')}",
        rows=frozenset(value for name, value in found if name == "row"),
        outcome=OUTCOMES[ended[0].tag] if ended else "held",
        seconds=float(element.get("time", 0)),
        why=_reason(ended[0]) if ended else "",
        figures={name: value for name, value in found if name != "row"},
    )


def _properties(element: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for each in element.iterfind("properties/property"):
        yield each.get("name", ""), each.get("value", "")


def _reason(element: ElementTree.Element) -> str:
    lines = (element.get("message") or element.text or "").strip().splitlines()
    line = lines[0] if lines else "no reason was told"
    line = TEMPORARY.sub("(a temporary path)", line.replace(f"{ROOT}/", ""))
    return line[:WHY_LETTERS]


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
