"""Pages behind links to approvals: the form of an open one, and short notices.

The texts of an approval are shown as plain text, whatever they contain: no markup, no links and no
media are made of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from starlette.responses import Response

from engine.values.fields import Field
from gateway.approvals.controls import PREFIX, Control, default_text, fault_note
from gateway.approvals.style import HEADERS, PAGE_STYLE

DOCUMENT = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width"><style>{style}</style></head>'
    "<body><main>{content}</main></body></html>"
)
DECISION, NOTE = "decision", "note"
NOTE_ID = "note"
UNTITLED = "Approve or refuse?"
REQUEST = (
    '<p class="origin">Somebody at <b>{host}</b> asks you to decide:</p>'
    '<h1 dir="auto">{title}</h1>{message}{faults}'
)
# Enter in a field presses the first button of a form. This one is disabled, so that nobody approves
# by accident.
FORM = (
    '<form method="post" accept-charset="utf-8" autocomplete="off">'
    "<button disabled hidden></button>{controls}"
    "<p>After <b>Approve</b> the workflow goes on. After <b>Refuse</b> it takes its other way.</p>"
    '<div class="decisions"><button name="decision" value="approve">Approve</button>'
    '<button name="decision" value="refuse" class="refuse" formnovalidate>Refuse</button></div>'
    "</form>"
)
CAUTION = (
    '<p class="caution">The request was written by those who run the workflow. '
    "Enter no passwords here.</p>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An open approval as others see it, and the host that asks."""

    host: str
    title: str
    message: str
    fields: Sequence[Field]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """Texts of a form that was sent, by their names in the form, and its faults.

    The fault of `decision` is that of the form as a whole. All are sentences.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, str] = field(default_factory=dict)

    def with_faults(self, faults: Mapping[str, str]) -> "Filled":
        """Return the form with more faults; those that it has stay."""
        return Filled(texts=self.texts, faults={**faults, **self.faults})


def question_page(question: Question, filled: Filled | None = None) -> Response:
    """Return the page with the form of an open approval; one with faults has the status 400."""
    title = question.title.strip() or UNTITLED
    texts, faults = (filled.texts, filled.faults) if filled else ({}, {})
    controls = [
        Control(
            field=each,
            id=f"f{index}",
            text=texts.get(PREFIX + each.name, "") if texts else default_text(each),
            fault=faults.get(PREFIX + each.name, ""),
        )
        for index, each in enumerate(question.fields)
    ]
    message = f'<div class="message" dir="auto">{escape(question.message)}</div>'
    request = REQUEST.format(
        host=escape(question.host),
        title=escape(title),
        message=message if question.message.strip() else "",
        faults=_list_faults(controls, faults),
    )
    note = _note(texts.get(NOTE, ""), faults.get(NOTE, ""))
    form = FORM.format(controls="".join(map(str, controls)) + note)
    shown_title = f"Not sent yet: {title}" if faults else title
    return _respond(shown_title, request + form + CAUTION, 400 if faults else 200)


def notice_page(title: str, text: str, status: int) -> Response:
    """Return a page of a title and a sentence or two, both plain text."""
    return _respond(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>", status)


def _respond(title: str, content: str, status: int) -> Response:
    html = DOCUMENT.format(title=escape(title), style=PAGE_STYLE, content=content)
    return Response(html, status, HEADERS, media_type="text/html")


def _note(text: str, fault: str) -> str:
    described = f"{'note-fault ' if fault else ''}note-help"
    invalid = ' aria-invalid="true"' if fault else ""
    return (
        f'<div class="field"><label for="{NOTE_ID}">Note <span class="optional">(optional)</span>'
        f'</label><textarea id="{NOTE_ID}" name="{NOTE}" rows="2" dir="auto" '
        f'aria-describedby="{described}"{invalid}>\n{escape(text)}</textarea>'
        f'{fault_note(NOTE_ID, fault)}<p id="note-help">Kept with the answer; the workflow can use '
        "it.</p></div>"
    )


def _list_faults(controls: Sequence[Control], faults: Mapping[str, str]) -> str:
    """Return the HTML of all faults, with links to their controls."""
    if not faults:
        return ""
    places = [(each.id, each.field.label, each.fault) for each in controls]
    places.append((NOTE_ID, "Note", faults.get(NOTE, "")))
    listed = "".join(
        f'<li><a href="#{place}">{escape(label)}</a>: {escape(fault)}</li>'
        for place, label, fault in places
        if fault
    )
    whole = faults.get(DECISION, "")
    reason = escape(whole) if whole else "Please correct this, and decide again:"
    rest = f"<ul>{listed}</ul>" if listed else ""
    return f'<div class="faults" role="alert"><p>Nothing is decided yet. {reason}</p>{rest}</div>'
