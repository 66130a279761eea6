"""Registry of this process: all models by internal name.

Models of the operator's folder override shipped ones; models saved over HTTP override both.
"""

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path

from engine.models.folder import WatchedFolder, load
from engine.models.manifest import ManifestError, Model
from engine.models.saved import KeyDestinations, key_destinations, key_faults

log = logging.getLogger(__name__)


class ModelOrigin(StrEnum):
    """Source of a model; a later one overrides the earlier ones."""

    SHIPPED = "shipped"
    FOLDER = "folder"
    """The operator's folder."""
    SAVED = "saved"
    """Saved over HTTP."""


def find_model(name: str) -> Model | None:
    """Return the model with this internal name, enabled or not, or None."""
    return _models().get(name)


def all_models() -> list[Model]:
    """Return all models, sorted by internal name."""
    return sorted(_models().values(), key=lambda model: model.internal_name)


def shipped_models() -> list[Model]:
    """Return the models that ship, also where others override them."""
    return list(_shipped().values())


def generation() -> int:
    """Return a number that differs after each change of the registry."""
    _models()
    return _state.changes


def use_folder(path: str) -> None:
    """Add the models of an operator's folder, which override shipped ones; empty: no folder.

    Changed files are read again while the process runs.
    """
    if path == _state.path:
        return
    _state.path = path
    _state.folder = WatchedFolder(Path(path)) if path else None
    _state.is_stale = True


def reload_folder() -> None:
    """Scan the operator's folder now, without waiting for the next interval."""
    if _state.folder is not None and _state.folder.refresh(force=True):
        _state.is_stale = True


def use_saved(models: Iterable[Model]) -> None:
    """Override models on disk by these, and replace the earlier overrides.

    A model is left out if it sends a key to a destination that no manifest on disk has for it.
    """
    saved = tuple(models)
    if saved == _state.saved:
        return  # keeps compiled plans
    _state.saved = saved
    _state.is_stale = True


def folder_errors() -> tuple[ManifestError, ...]:
    """Return the errors of the last scan of the operator's folder."""
    _models()
    return _state.folder.errors if _state.folder else ()


def saved_faults() -> Mapping[str, Sequence[str]]:
    """Return the names of saved models that are left out, with the reasons."""
    _models()
    return _state.left_out


def find_origin(name: str) -> ModelOrigin:
    """Return the source of a model in the registry, by its internal name."""
    _models()
    saved = {each.internal_name for each in _state.saved}
    if name in saved and name not in _state.left_out:
        return ModelOrigin.SAVED
    is_in_folder = bool(_state.folder and name in _state.folder.models)
    return ModelOrigin.FOLDER if is_in_folder else ModelOrigin.SHIPPED


def is_on_disk(name: str) -> bool:
    """Return True if a model of this name ships or is in the operator's folder."""
    _models()
    return name in _shipped() or bool(_state.folder and name in _state.folder.models)


def key_destinations_on_disk(environ: Mapping[str, str] = os.environ) -> KeyDestinations:
    """Return the destinations of keys by shipped models and by the operator's folder."""
    folder = _state.folder
    if folder is not None and folder.refresh():
        _state.is_stale = True
    models = (*_shipped().values(), *(folder.models.values() if folder else ()))
    return key_destinations(models, environ)


@contextlib.contextmanager
def use_models(models: Iterable[Model]) -> Iterator[None]:
    """Replace the registry by these models during the context."""
    _state.overrides.append({model.internal_name: model for model in models})
    _state.changes += 1
    try:
        yield
    finally:
        _state.overrides.pop()
        _state.changes += 1


class _State:
    """Sources and merged result of the registry."""

    def __init__(self) -> None:
        self.overrides: list[Mapping[str, Model]] = []
        self.path = ""
        self.folder: WatchedFolder | None = None
        self.saved: tuple[Model, ...] = ()
        self.left_out: Mapping[str, Sequence[str]] = {}
        self.merged: Mapping[str, Model] = {}
        self.is_stale = True
        """`merged` is out of date."""
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
    destinations = key_destinations_on_disk()
    faults = {
        each.internal_name: list(key_faults(each.call, destinations)) for each in _state.saved
    }
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
