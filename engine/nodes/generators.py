"""Image, Video and Music Generator: call a model of one category for each item of wired lists."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors.nodes import NodeFailed
from engine.models.manifest import Category, Model
from engine.models.pricing import Usage
from engine.nodes.support.base import Context, NodeType, Outputs, WorkKind
from engine.nodes.support.fan_out import (
    MAX_ITEMS,
    PARAMS_IN,
    call_each,
    missing_model,
    unknown_list,
    value_faults,
)
from engine.nodes.support.model_calls import (
    IMAGE_INLETS,
    PROMPT,
    PROMPT_INLET,
    VIDEO_INLET,
    ModelNodeKind,
    ModelSettings,
    Values,
    max_model_usage,
    model_calls,
    model_members,
    model_needs,
    model_reads,
    model_sockets,
    prompt_count,
    read_model_settings,
    sketch_model_sockets,
)
from engine.nodes.support.settings import Faults, is_whole, whole
from engine.values.fields import NUMBERS, Field
from engine.values.sockets import Socket, Sockets

COUNT, SEED = "count", "seed"
MAX_COUNT = 15
COUNT_RULE = f"must be a whole number from 1 to {MAX_COUNT}"
COUNT_SETTING = whole(COUNT, "Number of images for each item.", 1, MAX_COUNT, default=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorSettings:
    """Model call, and number of images for each item."""

    call: ModelSettings
    count: int = 1


class Generator(NodeType):
    """Calls a model of its category; a wired list makes a call for each item, and a list."""

    kind = WorkKind.IO
    is_dynamic = True
    node_kind: ModelNodeKind

    def read(self, data: Mapping[str, Any], faults: Faults) -> GeneratorSettings | None:
        call = read_model_settings(data, self.node_kind, faults)
        return None if call is None else GeneratorSettings(call=call)

    def unavailable_reason(self) -> str | None:
        return missing_model(self.node_kind.category, self.node_kind.refuses)

    def sketch(self, data: Mapping[str, Any]) -> Sockets:
        settings = self.read(data, Faults())
        if settings is not None:
            return Sockets(self.inputs(settings), self.outputs(settings))
        own = {self._output: Socket(type=self.node_kind.category.socket)}
        return Sockets(sketch_model_sockets(data, self.node_kind), own)

    def inputs(self, settings: GeneratorSettings) -> Mapping[str, Socket]:
        return model_sockets(settings.call, self.node_kind)

    def reads(self, settings: GeneratorSettings, socket: str) -> Collection[str] | None:
        return model_reads(settings.call, socket)

    def needs(self, data: Mapping[str, Any]) -> Mapping[str, Socket]:
        return model_needs(data, self.node_kind)

    def outputs(self, settings: GeneratorSettings) -> Mapping[str, Socket]:
        return {self._output: Socket(type=self.node_kind.category.socket)}

    def model(self, settings: GeneratorSettings) -> str:
        return settings.call.model.internal_name

    def max_usage(
        self,
        settings: GeneratorSettings,
        inputs: Mapping[str, Any],
        unknown: Collection[str] = (),
    ) -> Usage:
        return max_model_usage(settings.call, self.node_kind, inputs, unknown)

    def estimate_outputs(
        self, settings: GeneratorSettings, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        return {self._output: unknown_list(prompt_count(settings.call, self.node_kind, inputs))}

    async def run(
        self, settings: GeneratorSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        calls = model_calls(settings.call, self.node_kind, inputs)
        if not calls.is_list:
            return {self._output: await context.call_model(calls.model, calls.values[0])}
        answers = await call_each(calls.model, calls.values, context)
        return {self._output: _flat(answers)}

    @property
    def _output(self) -> str:
        return f"{self.node_kind.category}-out"


class ImageGenerator(Generator):
    """Makes `count` images for each item, each by a separate call, in order."""

    type = "imageGenerator"
    category = "Image Models"
    label = "Image Generator"
    description = "Calls a model for images."
    node_kind = ModelNodeKind(
        category=Category.IMAGE,
        inlets=(PROMPT_INLET, *IMAGE_INLETS),
        options=("aspectRatio", "resolution", SEED),
        own=frozenset({COUNT}),
    )
    members = model_members(node_kind, COUNT_SETTING)

    def read(self, data: Mapping[str, Any], faults: Faults) -> GeneratorSettings | None:
        count = COUNT_SETTING.read(_with_values(data), faults)
        call = read_model_settings(data, self.node_kind, faults)
        return None if call is None else GeneratorSettings(call=call, count=count)

    def max_usage(
        self,
        settings: GeneratorSettings,
        inputs: Mapping[str, Any],
        unknown: Collection[str] = (),
    ) -> Usage:
        count = _most_count(settings, inputs)
        return max_model_usage(settings.call, self.node_kind, inputs, unknown, _one) * count

    def estimate_outputs(
        self, settings: GeneratorSettings, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        length, count = (
            prompt_count(settings.call, self.node_kind, inputs),
            _most_count(settings, inputs),
        )
        is_one = length is None and count == 1
        return {
            self._output: unknown_list(
                None if is_one else count * (1 if length is None else length)
            )
        }

    async def run(
        self, settings: GeneratorSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        calls = model_calls(settings.call, self.node_kind, inputs, _one)
        count = _wired_count(settings, inputs)
        if len(calls.values) * count > MAX_ITEMS:
            message = f"A node makes at most {MAX_ITEMS} images, not {len(calls.values) * count}"
            raise NodeFailed("invalid_value", message)
        copies = [_copy(calls.model, each, n) for each in calls.values for n in range(count)]
        answers = await call_each(calls.model, copies, context)
        is_one = len(copies) == 1 and not calls.is_list
        return {self._output: answers[0] if is_one else _flat(answers)}


class VideoGenerator(Generator):
    """Makes a video for each item."""

    type = "videoGenerator"
    category = "Video Models"
    label = "Video Generator"
    description = "Calls a model for a video."
    node_kind = ModelNodeKind(
        category=Category.VIDEO,
        inlets=(PROMPT_INLET, *IMAGE_INLETS, VIDEO_INLET),
        options=("duration", "aspectRatio", "resolution", SEED),
    )
    members = model_members(node_kind)


def _refuse_speakers(model: Model) -> str:
    has_prompt = _field(model, PROMPT) is not None
    return "" if has_prompt or not model.is_speaker else "speaks, and takes no 'prompt'"


class MusicGenerator(Generator):
    """Makes a piece of music for each item."""

    type = "musicGenerator"
    category = "Music Models"
    label = "Music Generator"
    description = "Calls a model for music."
    node_kind = ModelNodeKind(
        category=Category.AUDIO,
        inlets=(PROMPT_INLET,),
        options=("duration",),
        refuses=_refuse_speakers,
    )
    members = model_members(node_kind)


def _with_values(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the data with the count in `values`, which takes precedence."""
    values = data.get("values")
    typed = values.get(COUNT) if isinstance(values, dict) else None
    return data if typed is None else {**data, COUNT: typed}


def _most_count(settings: GeneratorSettings, inputs: Mapping[str, Any]) -> int:
    params = inputs.get(PARAMS_IN)
    wired = params.get(COUNT) if isinstance(params, dict) else None
    return settings.count if wired is None else _read_count(wired) or MAX_COUNT


def _wired_count(settings: GeneratorSettings, inputs: Mapping[str, Any]) -> int:
    params = inputs.get(PARAMS_IN) or {}
    wired = params.get(COUNT)
    if wired is None:
        return settings.count
    count = _read_count(wired)
    if count is None:
        raise NodeFailed("invalid_value", f"'{COUNT}' {COUNT_RULE}")
    return count


def _read_count(value: object) -> int | None:
    return int(value) if is_whole(value) and 1 <= value <= MAX_COUNT else None


def _one(model: Model, values: Values) -> Values:
    """Set the number of images to one, if the model has such a field."""
    rest = {name: value for name, value in values.items() if name != COUNT}
    field = _field(model, COUNT)
    if field is None or value_faults(field, {COUNT: 1}):
        return rest
    return rest | {COUNT: 1}


def _copy(model: Model, values: Values, number: int) -> Values:
    """Return the values of the n-th image of an item, with a seed of its own."""
    field, seed = _field(model, SEED), values.get(SEED)
    if not number or field is None or field.type not in NUMBERS or not isinstance(seed, int):
        return values
    low = int(field.min or 0)
    if field.max is None:
        return {**values, SEED: seed + number}
    return {**values, SEED: low + (seed - low + number) % (int(field.max) - low + 1)}


def _field(model: Model, name: str) -> Field | None:
    return next((field for field in model.fields if field.name == name), None)


def _flat(answers: list[Any]) -> list[Any]:
    """Flatten the media of all calls, each of which may return several."""
    return [each for value in answers for each in (value if isinstance(value, list) else [value])]
