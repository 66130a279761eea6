"""Models that transcribe and speak, and sounds for them."""

from engine.models.manifest import Model
from tests.support.manifests import PROMPT, field, model

SOUND, VIDEO = "https://a.example/1.wav", "https://a.example/1.mp4"
AUDIO_FIELD, VIDEO_FIELD = field("audio", "audio"), field("video", "video")
TEXT_FIELD = field("text", "textarea", "required = true\nmaxLength = 500")
PER_INPUT_SECOND = '[[pricing]]\nunit = "input_second"\nusd = "0.01"\natMost = 60\n'
PER_SECOND = '[[pricing]]\nunit = "second"\nusd = "0.01"\natMost = 30\n'
LISTEN = '[builtin]\ntemplate = "heard {{ audio }}{{ video }}"'
SAY = '[builtin]\ntemplate = "{{ text }}"'
AT = 'base_url_env = "PROVIDER_URL"\nsetup = "Start it"\n'


def all_models() -> list[Model]:
    """Return models with all fields, and models that lack some."""
    both = AUDIO_FIELD + VIDEO_FIELD + field("language")
    return [
        model("listener", fields=both, call=LISTEN, pricing=PER_INPUT_SECOND),
        model(
            "ear",
            fields=field("audio", "audio", "required = true"),
            call=LISTEN.replace("{{ video }}", ""),
        ),
        model(
            "speaker",
            category="audio",
            fields=TEXT_FIELD + field("voice", "pills", 'options = ["a", "b"]'),
            call=SAY,
            pricing=PER_SECOND,
        ),
        model("mute", category="audio", fields=TEXT_FIELD, call=SAY),
        model("writer"),
        model("player", category="audio"),
        model("both", category="audio", fields=PROMPT + field("text"), call=SAY),
    ]


def transcriber(
    more: str = "", *, name: str = "hears", fields: str = "", pricing: str = ""
) -> Model:
    """Return a model that a provider with OpenAI's protocol serves; `more` is in its section."""
    return model(
        name,
        fields=fields or AUDIO_FIELD + VIDEO_FIELD + field("language") + field("prompt"),
        call=f'[openai]\n{AT}model = "m"\n{more}',
        **({"pricing": pricing} if pricing else {}),
    )
