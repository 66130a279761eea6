"""The registry: every model of this process by its internal name."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from engine.models.folder import Loaded, WatchedFolder, load
from engine.models.manifest import Model

__all__ = ["Loaded", "all_models", "find_model", "generation", "load", "use_folder", "use_models"]


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
    _state.changes += 1


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
        self.merged: Mapping[str, Model] = {}
        self.changes = 0


_state = _State()


def _models() -> Mapping[str, Model]:
    if _state.overrides:
        return _state.overrides[-1]
    if _state.folder is None:
        return _shipped()
    if _state.folder.refresh():
        _state.merged = {**_shipped(), **_state.folder.models}
        _state.changes += 1
    return _state.merged


@cache
def _shipped() -> Mapping[str, Model]:
    loaded = load(resources.files("engine.models").joinpath("shipped"))
    if loaded.errors:
        raise loaded.errors[0]
    return {model.internal_name: model for model in loaded.models}
