"""The registry: every model of this process by its internal name."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from engine.models.manifest import Fault, ManifestError, Model, parse_manifest

SUFFIX = ".toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a folder of manifests gave: models in the order of their files, and the wrong ones."""

    models: tuple[Model, ...]
    errors: tuple[ManifestError, ...]


def find_model(name: str) -> Model | None:
    """The model with this internal name, enabled or not."""
    return _models().get(name)


def all_models() -> list[Model]:
    """Every model, by internal name."""
    return sorted(_models().values(), key=lambda model: model.internal_name)


def load(folder: Traversable) -> Loaded:
    """Read a folder's manifests; wrong ones do not keep the others from loading. Raises OSError."""
    models: dict[str, Model] = {}
    errors: list[ManifestError] = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if not file.name.endswith(SUFFIX):
            continue
        try:
            model = _read(file)
            if model.internal_name in models:
                reason = f"internalName '{model.internal_name}' is taken by another file"
                raise ManifestError(str(file), Fault(None, reason))
            models[model.internal_name] = model
        except ManifestError as error:
            errors.append(error)
    return Loaded(models=tuple(models.values()), errors=tuple(errors))


@contextlib.contextmanager
def use_models(models: Iterable[Model]) -> Iterator[None]:
    """This process's registry holds these models alone for as long as the context lasts."""
    _overrides.append({model.internal_name: model for model in models})
    try:
        yield
    finally:
        _overrides.pop()


_overrides: list[Mapping[str, Model]] = []


def _models() -> Mapping[str, Model]:
    return _overrides[-1] if _overrides else _shipped()


@cache
def _shipped() -> Mapping[str, Model]:
    loaded = load(resources.files("engine.models").joinpath("shipped"))
    if loaded.errors:
        raise loaded.errors[0]
    return {model.internal_name: model for model in loaded.models}


def _read(file: Traversable) -> Model:
    try:
        return parse_manifest(file.read_text(encoding="utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise ManifestError(str(file), Fault(None, str(reason))) from None
