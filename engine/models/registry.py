"""The registry: every model of this process by its internal name.

What the operator's folder has counts before what ships, and what was saved over HTTP before both.
"""

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from engine.models.folder import WatchedFolder, load
from engine.models.manifest import ManifestError, Model
from engine.models.saved import Pairs, key_faults, key_pairs

log = logging.getLogger(__name__)


def find_model(name: str) -> Model | None:
    """The model with this internal name, enabled or not."""
    return _models().get(name)


def all_models() -> list[Model]:
    """Every model, by internal name."""
    return sorted(_models().values(), key=lambda model: model.internal_name)


def generation() -> int:
    """A number that is another one once the registry has changed."""
    _models()
    return _state.changes


def use_folder(path: str) -> None:
    """Add the models of an operator's folder, which replace shipped ones; empty: none.

    Files that change are read again while the process runs.
    """
    if path == _state.path:
        return
    _state.path = path
    _state.folder = WatchedFolder(Path(path)) if path else None
    _state.is_stale = True


def look_at_folder() -> None:
    """Look at the operator's folder now, and not only when some seconds have passed."""
    if _state.folder is not None and _state.folder.refresh(is_forced=True):
        _state.is_stale = True


def use_saved(models: Iterable[Model]) -> None:
    """Put these models over those on disk, in the place of what was put there before.

    Those are left out whose keys no manifest on disk sends to where they would send them.
    """
    saved = tuple(models)
    if saved == _state.saved:
        return  # nothing need be compiled anew
    _state.saved = saved
    _state.is_stale = True


def folder_errors() -> tuple[ManifestError, ...]:
    """What is wrong with files of the operator's folder, as it was looked at last."""
    _models()
    return _state.folder.errors if _state.folder else ()


def faults_of_saved() -> Mapping[str, Sequence[str]]:
    """The models that are left out of those in `use_saved`, each with the reasons."""
    _models()
    return _state.left_out


def is_on_disk(name: str) -> bool:
    """Whether a model of this name ships or is in the operator's folder, saved or not."""
    _models()
    return name in _shipped() or bool(_state.folder and name in _state.folder.models)


def pairs_on_disk(environ: Mapping[str, str] = os.environ) -> Pairs:
    """Which keys go where in this process, by what ships and by the operator's folder."""
    folder = _state.folder
    if folder is not None and folder.refresh():
        _state.is_stale = True
    models = (*_shipped().values(), *(folder.models.values() if folder else ()))
    return key_pairs(models, environ)


@contextlib.contextmanager
def use_models(models: Iterable[Model]) -> Iterator[None]:
    """This process's registry holds these models alone for as long as the context lasts."""
    _state.overrides.append({model.internal_name: model for model in models})
    _state.changes += 1
    try:
        yield
    finally:
        _state.overrides.pop()
        _state.changes += 1


class _State:
    """What a process's registry is made of."""

    def __init__(self) -> None:
        self.overrides: list[Mapping[str, Model]] = []
        self.path = ""
        self.folder: WatchedFolder | None = None
        self.saved: tuple[Model, ...] = ()
        self.left_out: Mapping[str, Sequence[str]] = {}
        self.merged: Mapping[str, Model] = {}
        self.is_stale = True
        """Whether `merged` is not made of all this any more."""
        self.changes = 0


_state = _State()


def _models() -> Mapping[str, Model]:
    if _state.overrides:
        return _state.overrides[-1]
    if _state.folder is not None and _state.folder.refresh():
        _state.is_stale = True
    if _state.is_stale:
        _state.is_stale = False
        _state.merged = _merge()
        _state.changes += 1
    return _state.merged


def _merge() -> Mapping[str, Model]:
    pairs = pairs_on_disk()
    faults = {each.internal_name: list(key_faults(each.call, pairs)) for each in _state.saved}
    _state.left_out = {name: reasons for name, reasons in faults.items() if reasons}
    for name, reasons in _state.left_out.items():
        for reason in reasons:
            log.warning("a saved manifest is left out", extra={"model": name, "reason": reason})
    saved = {each.internal_name: each for each in _state.saved if not faults[each.internal_name]}
    return {**_shipped(), **(_state.folder.models if _state.folder else {}), **saved}


@cache
def _shipped() -> Mapping[str, Model]:
    loaded = load(resources.files("engine.models").joinpath("shipped"))
    if loaded.errors:
        raise loaded.errors[0]
    return {model.internal_name: model for model in loaded.models}
