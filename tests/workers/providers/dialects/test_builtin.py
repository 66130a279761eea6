"""Builtin models: templates, their embeddings, transcripts of sounds, and speech."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Any

import pytest

from engine.errors.nodes import NodeFailed
from engine.models.dialects.builtin import BuiltinResult, BuiltinSection
from engine.models.manifest import ManifestError, Model
from engine.models.registry import find_model
from engine.nodes.support.image_edits import READ_SECONDS
from engine.process.extras import install_hint
from engine.process.pool import PoolCrashed, PoolTimeout
from tests.support.http.providers import Kept
from tests.support.manifests import field, model
from workers.nodes.local_models import LocalPool, SpeechPool
from workers.providers.base import ModelCall, NoCheckpoints
from workers.providers.dialects.builtin import SPEAK_SECONDS, TRANSCRIBE_SECONDS, NoSpeech
from workers.providers.model_caller import ModelCaller

ECHO = '[builtin]\ntemplate = "About {{ prompt }}"\n'
EMBEDDING = ECHO + 'gives = "embedding"\n'


class Embedding:
    """Takes texts of an account, and gives a vector of their lengths."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], float, str]] = []

    async def __call__(
        self, texts: Sequence[str], seconds: float, account_id: str
    ) -> list[list[float]]:
        self.asked.append((list(texts), seconds, account_id))
        return [[0.25, float(len(text))] for text in texts]


def local_embedding() -> Model:
    found = find_model("local-embedding")
    assert found is not None
    return found


async def fail(models: ModelCaller) -> NodeFailed:
    with pytest.raises(NodeFailed) as raised:
        await models.call(local_embedding(), {"text": "x"})
    return raised.value


async def test_a_text_is_the_answer_unless_the_manifest_says_more() -> None:
    answer = await ModelCaller().call(model(call=ECHO), {"prompt": "cats"})

    assert answer.value == "About cats"


async def test_an_embedding_is_the_vector_of_the_rendered_template_as_json() -> None:
    embed = Embedding()

    answer = await ModelCaller(embed=embed).call(model(call=EMBEDDING), {"prompt": "cats"})

    assert json.loads(answer.value) == [0.25, 10]
    assert embed.asked == [(["About cats"], READ_SECONDS, NoCheckpoints.account_id)]


async def test_an_embedding_takes_no_longer_than_its_node_has() -> None:
    embed = Embedding()
    model_call = ModelCall(deadline=asyncio.get_running_loop().time() + 20)

    await ModelCaller(embed=embed).call(local_embedding(), {"text": "x"}, model_call)

    assert 10 < embed.asked[0][1] < 20


async def test_a_vector_is_no_answer_of_images() -> None:
    with pytest.raises(ManifestError) as raised:
        model(category="image", call=EMBEDDING)

    assert "builtin.gives 'embedding' is for models of the category text" in str(raised.value)


# -- speech ---------------------------------------------------------------------------------------

SOUND = field("sound", "audio", "required = true") + field("language")
TRANSCRIPT = (
    '[builtin]\ntemplate = "{{ sound }}"\ngives = "transcript"\nlanguage = "{{ language }}"\n'
)
SPEECH = '[builtin]\ntemplate = "Say {{ prompt }}"\ngives = "speech"\n'
SAID = {"text": "Good morning.", "segments": [{"start": 0, "end": 1.5, "text": "Good morning."}]}
WAVE = b"RIFF\x00\x00\x00\x00WAVE"
OWN = "https://own.example/sound"


class Speech(NoSpeech):
    """Recognises and says one sentence."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.turns: list[str] = []

    def turn(self, account_id: str) -> AbstractAsyncContextManager[None]:
        self.turns.append(account_id)
        return super().turn(account_id)

    async def transcribe(
        self, data: bytes, content_type: str, language: str, seconds: float, account_id: str
    ) -> tuple[dict[str, Any], float]:
        self.asked.append((data, content_type, language, seconds, account_id))
        return SAID, 1.5

    async def speak(self, text: str, seconds: float, account_id: str) -> bytes:
        self.asked.append((text, seconds, account_id))
        return WAVE


@pytest.mark.parametrize(("values", "language"), [({}, ""), ({"language": "en"}, "en")])
async def test_a_transcript_is_that_of_the_sound_at_the_url_and_counts_its_length(
    values: dict[str, Any], language: str
) -> None:
    speech, kept = Speech(), Kept(own={("", OWN): WAVE})
    per_second = '[[pricing]]\nunit = "input_second"\nusd = "0.001"\natMost = 60\n'
    found = model(fields=SOUND, pricing=per_second, call=TRANSCRIPT)

    answer = await ModelCaller(media_store=kept, speech=speech).call(
        found, {"sound": OWN, **values}
    )

    assert answer.value == SAID
    assert answer.usage.input_seconds == Decimal("1.5")
    assert speech.asked == [(WAVE, "audio/wav", language, TRANSCRIBE_SECONDS, "")]
    assert speech.turns == [""]


async def test_a_sound_elsewhere_is_fetched_as_the_account_may() -> None:
    async def fetch(url: str) -> bytes:
        assert url == OWN
        return WAVE

    speech = Speech()
    found = model(fields=SOUND, call=TRANSCRIPT)

    await ModelCaller(speech=speech).call(found, {"sound": OWN}, ModelCall(fetch_media=fetch))

    assert speech.asked[0][0] == WAVE


async def test_a_sound_that_is_too_large_is_not_recognised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.providers.media.MAX_SENT_TOGETHER", len(WAVE) - 1)
    kept = Kept(own={("", OWN): WAVE})
    found = model(fields=SOUND, call=TRANSCRIPT)

    with pytest.raises(NodeFailed) as raised:
        await ModelCaller(media_store=kept, speech=Speech()).call(found, {"sound": OWN})

    assert raised.value.code == "response_too_large"


async def test_speech_is_the_spoken_template_kept_as_a_wav_and_counts_its_length() -> None:
    speech, kept = Speech(), Kept(seconds=[Decimal("2.5")])
    per_second = '[[pricing]]\nunit = "second"\nusd = "0.001"\natMost = 60\n'
    found = model(category="audio", pricing=per_second, call=SPEECH)

    answer = await ModelCaller(media_store=kept, speech=speech).call(found, {"prompt": "hello"})

    assert answer.value == "https://kept.example/1"
    assert kept.media == [(WAVE, "audio/wav")]
    assert speech.asked == [("Say hello", SPEAK_SECONDS, "")]
    assert answer.usage.seconds == Decimal("2.5")


async def test_speech_takes_no_longer_than_its_node_has() -> None:
    speech = Speech()
    model_call = ModelCall(deadline=asyncio.get_running_loop().time() + 20)
    found = model(category="audio", call=SPEECH)

    await ModelCaller(media_store=Kept(), speech=speech).call(found, {"prompt": "x"}, model_call)

    assert 10 < speech.asked[0][1] < 20


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (
            {"fields": SOUND, "category": "audio", "call": TRANSCRIPT},
            "builtin.gives 'transcript' is for models of the category text",
        ),
        (
            {"call": SPEECH},
            "builtin.gives 'speech' is for models of the category audio",
        ),
        (
            {"call": ECHO + 'gives = "transcript"\n'},
            "builtin.template must be one field of the type audio or video",
        ),
        (
            {"fields": SOUND, "call": TRANSCRIPT.replace("{{ sound }}", "{{ language }}")},
            "builtin.template must be one field of the type audio or video",
        ),
        ({"call": ECHO + 'language = "en"\n'}, "builtin.language is for transcripts"),
        (
            {"fields": SOUND, "call": TRANSCRIPT.replace("{{ language }}", "{{ tongue }}")},
            "builtin.language has 'tongue', and no field is called that",
        ),
        ({"call": ECHO + 'gives = "song"\n'}, "builtin.gives must be one of"),
    ],
)
def test_a_manifest_of_speech_that_does_not_fit_is_refused(
    parts: dict[str, str], reason: str
) -> None:
    with pytest.raises(ManifestError) as raised:
        model(**parts)

    assert reason in str(raised.value)


@pytest.mark.parametrize("name", ["local-transcription", "local-speech"])
async def test_the_models_of_speech_that_ship_cost_nothing_and_need_something_to_ask(
    name: str,
) -> None:
    found = find_model(name)
    assert found is not None

    assert (found.pricing, found.tier) == ((), "free")
    assert found.is_transcriber == (name == "local-transcription")
    assert found.is_speaker == (name == "local-speech")
    with pytest.raises(NodeFailed) as raised:
        values = {"audio": OWN, "text": "x"}
        await ModelCaller(media_store=Kept(own={("", OWN): WAVE})).call(found, values)
    assert raised.value.code == "not_installed"


@pytest.mark.parametrize("module", ["faster_whisper", "hibari"])
async def test_a_worker_without_the_extra_of_speech_names_the_packages_to_install(
    module: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / f"{module}.py").write_text("raise ImportError('as if it were not here')")
    monkeypatch.syspath_prepend(tmp_path)  # which the pool's children have too
    pool = SpeechPool()

    with pytest.raises(NodeFailed) as raised:
        if module == "hibari":
            await pool.speak("x", 60)
        else:
            await pool.transcribe(WAVE, "audio/wav", "", 60)
    await pool.close()

    assert raised.value.code == "not_installed"
    assert install_hint("local-speech") in raised.value.message


async def test_the_model_that_ships_embeds_and_costs_nothing() -> None:
    found = local_embedding()

    assert isinstance(found.call, BuiltinSection) and found.call.gives is BuiltinResult.EMBEDDING
    assert (found.pricing, found.tier) == ((), "free")


# -- failures -------------------------------------------------------------------------------------


class Broken(LocalPool):
    """Fails as the model's process may."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def run(self, *_: Any, **__: Any) -> Any:
        raise self._error


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        (PoolTimeout("late"), "timeout", True),
        (PoolCrashed("gone"), "resource_exhausted", False),
        (MemoryError(), "resource_exhausted", False),
        (NodeFailed("not_installed", "install it"), "not_installed", False),
    ],
)
async def test_an_error_of_its_process_is_a_failure_of_the_node(
    error: Exception, code: str, retryable: bool
) -> None:
    failure = await fail(ModelCaller(embed=Broken(error).embed))

    assert (failure.code, failure.retryable) == (code, retryable)


async def test_nothing_is_embedded_where_there_is_nothing_to_embed_with() -> None:
    assert (await fail(ModelCaller())).code == "not_installed"


async def test_a_worker_without_the_extra_names_the_package_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    (tmp_path / "onnxruntime.py").write_text("raise ImportError('as if it were not here')")
    monkeypatch.syspath_prepend(tmp_path)  # which the pool's children have too
    pool = LocalPool()

    failure = await fail(ModelCaller(embed=pool.embed))
    await pool.close()

    assert install_hint("local-embeddings") in failure.message
