"""PDFs of the corpus."""

import io
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib import colors
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    ListFlowable,
    PageBreak,
    PageTemplate,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
)

from engine.media.documents.types import PDF
from tests.support.documents.corpus import contents as c
from tests.support.documents.corpus.document import CorpusDocument

STYLES = getSampleStyleSheet()
NORMAL, TITLE, H1, H2 = (STYLES[name] for name in ("Normal", "Title", "Heading1", "Heading2"))
GRID = [("GRID", (0, 0), (-1, -1), 0.5, colors.black)]
RIGHT = [("ALIGN", (1, 0), (-1, -1), "RIGHT")]
THOUSAND = 1_000


def _font(name: str) -> str:
    """Return the path of a font that matplotlib carries."""
    spec = find_spec("matplotlib")
    assert spec is not None and spec.origin is not None
    return str(Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / name)


def paragraphs(*texts: str, style: Any = NORMAL) -> list[Any]:
    """Return paragraphs with a space after each."""
    return [part for text in texts for part in (Paragraph(text, style), Spacer(1, 8))]


def built(story: Callable[[], list[Any]], **options: Any) -> Callable[[], bytes]:
    """Return the maker of a PDF with one column."""

    def make() -> bytes:
        file = io.BytesIO()
        SimpleDocTemplate(file, **{"pagesize": A4, **options}).build(story())
        return file.getvalue()

    return make


def in_columns(count: int, story: Callable[[], list[Any]], top: float = 760) -> Callable[[], bytes]:
    """Return the maker of a PDF with columns; `top` is where they begin."""

    def make() -> bytes:
        file, width = io.BytesIO(), (515 - 20 * (count - 1)) / count
        frames = [Frame(40 + n * (width + 20), 60, width, top - 60) for n in range(count)]
        document = BaseDocTemplate(file, pagesize=A4)
        document.addPageTemplates(PageTemplate(frames=frames, onPage=_title))
        document.build(story())
        return file.getvalue()

    return make


def _title(canvas: Any, _: Any) -> None:
    canvas.setFont("Helvetica-Bold", 22)
    canvas.drawCentredString(297, 790, "Chronicle of the harbour")


def drawn(draw: Callable[[Any], None], **options: Any) -> Callable[[], bytes]:
    """Return the maker of a PDF that is drawn by hand."""

    def make() -> bytes:
        file = io.BytesIO()
        canvas = Canvas(file, pagesize=A4, **options)
        draw(canvas)
        canvas.save()
        return file.getvalue()

    return make


def invoice(style: list[Any], encrypt: Any = None) -> Callable[[], bytes]:
    """Return the maker of an invoice with a table in a style."""

    def story() -> list[Any]:
        return [
            Paragraph(c.INVOICE_HEAD, TITLE),
            *paragraphs(*c.INVOICE_TEXT[:2]),
            Table(c.INVOICE, style=[*style, *RIGHT], colWidths=[190, 70, 80, 80]),
            Spacer(1, 14),
            *paragraphs(c.INVOICE_TEXT[2]),
        ]

    return built(story, encrypt=encrypt)


INVOICE_WORDS = c.flat(c.INVOICE_HEAD, c.INVOICE_TEXT[:2], c.INVOICE, c.INVOICE_TEXT[2])
ZEBRA = [
    ("BACKGROUND", (0, 0), (-1, 0), colors.darkblue),
    ("TEXTCOLOR", (0, 0), (-1, 0), colors.white),
    ("ROWBACKGROUNDS", (0, 1), (-1, -1), [colors.white, colors.lightgrey]),
]


def _turned(canvas: Any) -> None:
    canvas.setPageRotation(90)
    canvas.translate(A4[0], 0)
    canvas.rotate(90)
    for number, line in enumerate(c.INVOICE_TEXT):
        canvas.drawString(60, 500 - 16 * number, line)


def _in_font(path: str, text: str, *, width: int = 60) -> Callable[[Any], None]:
    def draw(canvas: Any) -> None:
        pdfmetrics.registerFont(TTFont("Corpus", path))
        canvas.setFont("Corpus", 11)
        words, lines = text.split(), [""]
        for word in words:
            if len(lines[-1]) + len(word) > width:
                lines.append("")
            lines[-1] += f" {word}"
        for number, line in enumerate(lines):
            canvas.drawString(60, 760 - 16 * number, line.strip())

    return draw


def _asian(font: str, text: str) -> Callable[[Any], None]:
    def draw(canvas: Any) -> None:
        pdfmetrics.registerFont(UnicodeCIDFont(font))
        canvas.setFont(font, 12)
        for number, line in enumerate(text.split()):
            canvas.drawString(60, 760 - 20 * number, line)

    return draw


def _arabic(canvas: Any) -> None:
    pdfmetrics.registerFont(TTFont("Arabic", _font("DejaVuSans.ttf")))
    canvas.setFont("Arabic", 14)
    canvas.drawRightString(530, 760, c.ARABIC[::-1])


def _form(canvas: Any) -> None:
    for number, (label, value) in enumerate((("Name", "Ada Brandt"), ("Town", "Oldtown"))):
        y = 740 - 40 * number
        canvas.drawString(60, y, f"{label}:")
        canvas.acroForm.textfield(name=label, value=value, x=120, y=y - 6, width=220, height=20)


def picture(lines: tuple[str, ...], size: int = 34) -> Image.Image:
    """Return a page of text as a scanner gives it."""
    image = Image.new("L", (1240, 1754), 245)
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(_font("DejaVuSans.ttf"), size)
    for number, line in enumerate(lines):
        draw.text((120, 140 + number * 2 * size), line, fill=30, font=font)
    return image.rotate(0.4, fillcolor=245)


def _scan(*pages: tuple[str, ...]) -> Callable[[Any], None]:
    def draw(canvas: Any) -> None:
        for lines in pages:
            file = io.BytesIO()
            picture(lines).save(file, "JPEG", quality=70)
            canvas.drawInlineImage(Image.open(file), 0, 0, *A4)
            canvas.showPage()

    return draw


def _half_scanned(canvas: Any) -> None:
    canvas.drawString(60, 760, c.POINTS[0])
    canvas.showPage()
    _scan(SCANNED)(canvas)


SCANNED = (
    "Receipt of the harbour office",
    "Two anchors and forty fathoms of rope",
    "Paid in full: 96 guilders",
    "Oldtown, 14 March 1871",
)


def _thousand() -> list[Any]:
    return [
        part
        for number in range(THOUSAND)
        for part in (
            Paragraph(f"Sheet {number + 1}", H1),
            Paragraph(c.PARAGRAPHS[number % len(c.PARAGRAPHS)], NORMAL),
            PageBreak(),
        )
    ]


THOUSAND_WORDS = c.flat(
    [(f"Sheet {n + 1}", c.PARAGRAPHS[n % len(c.PARAGRAPHS)]) for n in range(THOUSAND)]
)


def _chapters() -> list[Any]:
    items = [Paragraph(point, NORMAL) for point in c.POINTS]
    return [
        Paragraph("Chronicle", TITLE),
        Paragraph("The harbour", H1),
        *paragraphs(c.PARAGRAPHS[0]),
        Paragraph("Rules of the house", H2),
        ListFlowable(items, bulletType="bullet"),
        Spacer(1, 10),
        Paragraph("The books", H2),
        ListFlowable([Paragraph(point, NORMAL) for point in c.POINTS], bulletType="1"),
        *paragraphs(c.PARAGRAPHS[1]),
    ]


def _joined() -> list[Any]:
    return [
        *paragraphs(c.PARAGRAPHS[3]),
        Table(
            JOINED,
            style=[*GRID, ("SPAN", (0, 0), (1, 0)), ("SPAN", (2, 1), (2, 2))],
            colWidths=[120, 120, 120],
        ),
    ]


JOINED = [["Both years", "", "Note"], ["1870", "1871", "after the fire"], ["214", "88", ""]]
WRAPPED = [
    ["Year", "Event", "Source"],
    ["1612", c.PARAGRAPHS[3], "Archive, box 7"],
    ["1688", c.PARAGRAPHS[5], "Letters of the council"],
    ["1701", "A short entry", "Unknown"],
]


def _wrapped() -> list[Any]:
    rows = [[Paragraph(cell, NORMAL) for cell in row] for row in WRAPPED]
    return [Table(rows, style=GRID, colWidths=[50, 300, 120])]


def _long_table() -> list[Any]:
    return [Table(LONG, style=GRID, repeatRows=1)]


LONG = [["Number", "Name", "Weight"], *[[str(n), f"Bale {n}", f"{n * 7} kg"] for n in range(1, 91)]]
LONG_PAGES = [LONG[:38], [LONG[0], *LONG[38:75]], [LONG[0], *LONG[75:]]]


def _contents(canvas: Any) -> None:
    canvas.setFont("Helvetica", 11)
    for number, title in enumerate(c.POINTS):
        y = 740 - 18 * number
        canvas.drawString(60, y, f"{number + 1}. {title} {'.' * 40} {number * 7 + 3}")


def _plain_story() -> list[Any]:
    return paragraphs(*c.PARAGRAPHS)


def _justified() -> list[Any]:
    style = ParagraphStyle("justified", parent=NORMAL, alignment=TA_JUSTIFY, fontSize=10)
    return paragraphs(*c.PARAGRAPHS, style=style)


def _column_story() -> list[Any]:
    return [
        part
        for number, text in enumerate(c.PARAGRAPHS)
        for part in (Paragraph(f"Part {number + 1}", H2), *paragraphs(text))
    ]


COLUMN_WORDS = c.flat(
    "Chronicle of the harbour", [(f"Part {n + 1}", text) for n, text in enumerate(c.PARAGRAPHS)]
)


def _stock_story() -> list[Any]:
    return [*paragraphs(c.PARAGRAPHS[2]), Table(c.STOCK, colWidths=[110, 70, 80, 70, 110])]


def _mixed_story() -> list[Any]:
    return [
        *paragraphs(*c.PARAGRAPHS[:3]),
        Table(c.STOCK[:4], style=[*GRID, ("FONTSIZE", (0, 0), (-1, -1), 7)]),
        Spacer(1, 8),
        *paragraphs(*c.PARAGRAPHS[3:]),
    ]


def _cut() -> bytes:
    data = built(_plain_story)()
    return data[: len(data) // 2]


def _damaged() -> bytes:
    return (
        built(_plain_story)().replace(b"\nxref", b"\nxrxx").replace(b"startxref\n", b"startxref\n7")
    )


def every_pdf() -> Iterator[CorpusDocument]:
    """Yield the PDFs."""
    prose = c.flat(c.PARAGRAPHS)
    secret = StandardEncryption("secret", ownerPassword="owner", strength=128)
    readable = StandardEncryption("", ownerPassword="owner", strength=128, canCopy=0)
    stock = c.flat(c.PARAGRAPHS[2], c.STOCK)
    mixed = c.flat("Chronicle of the harbour", c.PARAGRAPHS[:3], c.STOCK[:4], c.PARAGRAPHS[3:])
    chapters = c.flat(
        *("Chronicle", "The harbour", c.PARAGRAPHS[0], "Rules of the house", c.POINTS),
        *("The books", [f"{n + 1} {point}" for n, point in enumerate(c.POINTS)]),
        c.PARAGRAPHS[1],
    )
    contents = c.flat([f"{n + 1} {title} {n * 7 + 3}" for n, title in enumerate(c.POINTS)])
    yield _pdf("letter", built(_plain_story), prose)
    yield _pdf("justified text", built(_justified), prose)
    yield _pdf("invoice with lines", invoice(GRID), INVOICE_WORDS, [c.INVOICE])
    yield _pdf("invoice without lines", invoice([]), INVOICE_WORDS, [c.INVOICE])
    yield _pdf("invoice with bands", invoice(ZEBRA), INVOICE_WORDS, [c.INVOICE])
    yield _pdf("table without lines", built(_stock_story), stock, [c.STOCK])
    yield _pdf("landscape table", built(_stock_story, pagesize=landscape(A4)), stock, [c.STOCK])
    yield _pdf("two columns", in_columns(2, _column_story), COLUMN_WORDS)
    yield _pdf("three columns", in_columns(3, _column_story), COLUMN_WORDS)
    yield _pdf("two columns and a table", in_columns(2, _mixed_story), mixed, [c.STOCK[:4]])
    yield _pdf("turned page", drawn(_turned), c.flat(c.INVOICE_TEXT))
    yield _pdf("headings and lists", built(_chapters), chapters)
    yield _pdf("joined cells", built(_joined), c.flat(c.PARAGRAPHS[3], JOINED), [JOINED])
    yield _pdf("wrapped cells", built(_wrapped), c.flat(WRAPPED), [WRAPPED])
    yield _pdf("table over pages", built(_long_table), c.flat(LONG_PAGES), LONG_PAGES, pages=3)
    yield _pdf("contents with dots", drawn(_contents), contents)
    fonts = _font("DejaVuSans.ttf")
    yield _pdf("umlauts", drawn(_in_font(fonts, c.GERMAN)), c.GERMAN)
    ligatures = c.LIGATURES.replace("ffi", "ﬃ").replace("ff", "ﬀ").replace("fi", "ﬁ")
    yield _pdf("ligatures", drawn(_in_font(fonts, ligatures)), c.LIGATURES)
    yield _pdf("Chinese", drawn(_asian("STSong-Light", c.CHINESE)), c.CHINESE)
    yield _pdf("Japanese", drawn(_asian("HeiseiMin-W3", c.JAPANESE)), c.JAPANESE)
    yield _pdf("Arabic", drawn(_arabic), c.ARABIC)
    yield _pdf("form fields", drawn(_form), "Name Ada Brandt Town Oldtown")
    yield _pdf("scan", drawn(_scan(SCANNED)), c.flat(SCANNED), is_scanned=True)
    yield _pdf(
        *("scan behind a page of text", drawn(_half_scanned), c.flat(c.POINTS[0], SCANNED)),
        pages=2,
        is_scanned=True,
    )
    yield _pdf("password", invoice(GRID, encrypt=secret), "", fails="password")
    yield _pdf(
        "owner's password alone", invoice(GRID, encrypt=readable), INVOICE_WORDS, [c.INVOICE]
    )
    yield _pdf("cut in the middle", _cut, "", fails="broken")
    yield _pdf("damaged places", _damaged, prose)
    yield _pdf("thousand pages", built(_thousand), THOUSAND_WORDS, pages=THOUSAND)


def _pdf(
    name: str, make: Callable[[], bytes], text: str, tables: Any = (), **more: Any
) -> CorpusDocument:
    return CorpusDocument(name=name, content_type=PDF, make=make, text=text, tables=tables, **more)
