"""Transcribe: calls a model that makes a text of a sound or a video."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from engine.errors.nodes import SettingFault
from engine.models.manifest import Category, Model
from engine.nodes.generators import Generator, GeneratorSettings
from engine.nodes.support.base import Context, Outputs
from engine.nodes.support.fan_out import call_each, unknown_list
from engine.nodes.support.model_calls import (
    AUDIO_INLET,
    LANGUAGE,
    VIDEO_INLET,
    ModelNodeKind,
    model_calls,
    model_members,
    prompt_count,
)
from engine.nodes.support.transcripts import TRANSCRIPT_SOCKETS, outputs_of, outputs_of_all
from engine.values.sockets import Socket, Sockets

INLETS = (AUDIO_INLET, VIDEO_INLET)
NOTHING = "nothing is wired to 'audio-in' or 'video-in'"
BOTH = "'audio-in' and 'video-in' are both wired, and a call takes one of them"


def _refuse_others(model: Model) -> str:
    return "" if model.is_transcriber else "has no field of the type audio, and transcribes nothing"


class Transcribe(Generator):
    """Makes a transcript of a sound or a video, or of each in a list."""

    type = "transcribe"
    category = "Speech"
    label = "Transcribe"
    description = "Calls a model that makes a text of a sound or a video."
    node_kind = ModelNodeKind(
        category=Category.TEXT,
        inlets=INLETS,
        options=(LANGUAGE,),
        templates=(),
        takes_params=False,
        refuses=_refuse_others,
    )
    members = model_members(node_kind)

    def wire_faults(
        self, settings: GeneratorSettings, wired: Collection[str]
    ) -> Iterable[SettingFault]:
        sockets = [each.socket for each in INLETS if each.socket in wired]
        typed = [each for each in INLETS if each.fields[0] in settings.call.values]
        if len(sockets) > 1:
            yield SettingFault(BOTH, is_beyond_schema=True)
        elif not sockets and not typed:
            yield SettingFault(NOTHING, is_beyond_schema=True)

    def sketch(self, data: Mapping[str, Any]) -> Sockets:
        return Sockets(super().sketch(data).inputs, TRANSCRIPT_SOCKETS)

    def outputs(self, settings: GeneratorSettings) -> Mapping[str, Socket]:
        return TRANSCRIPT_SOCKETS

    def estimate_outputs(
        self, settings: GeneratorSettings, inputs: Mapping[str, Any], unknown: Collection[str] = ()
    ) -> Outputs:
        length = prompt_count(settings.call, self.node_kind, inputs)
        return dict.fromkeys(TRANSCRIPT_SOCKETS, unknown_list(length))

    async def run(
        self, settings: GeneratorSettings, inputs: Mapping[str, Any], context: Context
    ) -> Outputs:
        calls = model_calls(settings.call, self.node_kind, inputs)
        if not calls.is_list:
            return outputs_of(await context.call_model(calls.model, calls.values[0]))
        return outputs_of_all(await call_each(calls.model, calls.values, context))
