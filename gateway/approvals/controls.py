"""Controls of a form in HTML, one for each field; they need no script."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from engine.values.fields import NUMBERS, TEXTS, Field, FieldType

PREFIX = "fields."
"""Beginning of the names that the fields have in the form."""
MAX_RADIOS = 8
"""Options that are all in sight; more of them are a list to open."""
MULTILINE = frozenset({FieldType.TEXTAREA, FieldType.JSON})
"""Fields with texts of several lines."""
OPTIONAL = ' <span class="optional">(optional)</span>'
YES_OR_NO = (("true", "Yes"), ("false", "No"))
Options = Sequence[tuple[str, str]]
"""Values and labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A field as it is shown: with the text that it holds, and its fault."""

    field: Field
    id: str
    text: str
    fault: str = ""
    """A sentence; empty without a fault."""

    def __str__(self) -> str:
        """Return the HTML."""
        options = self._options()
        if options and (self.field.type is FieldType.TOGGLE or self._shows_radios(options)):
            return self._radios(options)
        label = f'<label for="{self.id}" dir="auto">{self._label}</label>'
        made = self._select(options) if options else self._input()
        return f'<div class="field">{label}{made}{self._notes}</div>'

    @property
    def _label(self) -> str:
        return escape(self.field.label) + ("" if self.field.required else OPTIONAL)

    @property
    def _notes(self) -> str:
        helper, notes = self.field.helper_text, ""
        if helper:
            notes += f'<p id="{self.id}-help" dir="auto">{escape(helper)}</p>'
        return notes + fault_note(self.id, self.fault)

    @property
    def _common(self) -> str:
        """Attributes for assistive technology and for the check of the browser."""
        texts = (("help", self.field.helper_text), ("fault", self.fault))
        notes = " ".join(f"{self.id}-{kind}" for kind, text in texts if text)
        described = f' aria-describedby="{notes}"' if notes else ""
        invalid = ' aria-invalid="true"' if self.fault else ""
        return described + invalid

    @property
    def _required(self) -> str:
        return " required" if self.field.required and self.field.default is None else ""

    @property
    def _named(self) -> str:
        return f'id="{self.id}" name="{escape(PREFIX + self.field.name)}"{self._common}'

    def _options(self) -> Options:
        if self.field.type is FieldType.TOGGLE:
            return YES_OR_NO
        return [(str(option), str(option)) for option in self.field.options]

    def _shows_radios(self, options: Options) -> bool:
        return self.field.type is FieldType.PILLS and len(options) <= MAX_RADIOS

    def _radios(self, options: Options) -> str:
        name, choices = escape(PREFIX + self.field.name), ""
        for index, (value, label) in enumerate(options):
            own_id = self.id if index == 0 else f"{self.id}-{index}"
            checked = " checked" if value == self.text else ""
            choices += (
                f'<label class="choice" dir="auto"><input type="radio" id="{own_id}" name="{name}" '
                f'value="{escape(value)}"{checked}{self._required}>{escape(label)}</label>'
            )
        return (
            f'<fieldset class="field" role="radiogroup"{self._common}>'
            f'<legend dir="auto">{self._label}</legend>{choices}{self._notes}</fieldset>'
        )

    def _select(self, options: Options) -> str:
        shown = "".join(
            f'<option value="{escape(value)}"{" selected" if value == self.text else ""}>'
            f"{escape(label)}</option>"
            for value, label in options
        )
        none = (
            '<option value="">Choose…</option>'
            if self.field.required
            else '<option value="">–</option>'
        )
        return f"<select {self._named}{self._required}>{none}{shown}</select>"

    def _input(self) -> str:
        kind = self.field.type
        if kind in MULTILINE:
            form = 'class="json" spellcheck="false"' if kind is FieldType.JSON else 'dir="auto"'
            begin = f'<textarea rows="5" {form} {self._named}{self._required}>'
            # A browser drops the first line break of the content.
            return f"{begin}\n{escape(self.text)}</textarea>"
        more = "".join(self._number_rules()) if kind in NUMBERS else 'type="text" dir="auto"'
        return f'<input {more} {self._named} value="{escape(self.text)}"{self._required}>'

    def _number_rules(self) -> Iterator[str]:
        yield 'type="number"'
        for name in ("min", "max"):
            limit = getattr(self.field, name)
            if limit is not None:
                yield f' {name}="{limit}"'
        # Browsers count steps from `min`, and without it from the value, which may be a wrong one.
        is_counted = self.field.step is not None and self.field.min is not None
        yield f' step="{self.field.step if is_counted else "any"}"'


def fault_note(control_id: str, fault: str) -> str:
    """Return the HTML of a fault below its control."""
    return f'<p class="fault" id="{control_id}-fault">{escape(fault)}</p>' if fault else ""


def default_text(field: Field) -> str:
    """Return the default of a field as its control holds it."""
    if field.default is None:
        return ""
    if field.type in TEXTS or isinstance(field.default, str) and field.type is not FieldType.JSON:
        return str(field.default)
    return json.dumps(field.default, ensure_ascii=False, indent=2)
