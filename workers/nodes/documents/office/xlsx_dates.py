"""Dates of XLSX: numbers of days, which only the format of their cell tells from other numbers."""

import re
from datetime import datetime, timedelta
from enum import Enum

from workers.nodes.documents.office.package import Package

BUILT_IN = {
    **dict.fromkeys((14, 15, 16, 17, 22, *range(27, 37), *range(50, 59)), "yyyy-mm-dd"),
    **dict.fromkeys((18, 19, 20, 21, 45, 47), "hh:mm:ss"),
    46: "[h]:mm:ss",
}
"""Formats that files name by number alone."""
QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
SPAN = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
MAX_DAYS = 2_958_466
"""31 December 9999."""


class _Kind(Enum):
    """Kind of a format."""

    DATE = "date"
    SPAN = "span"


class DateStyles:
    """Tells dates by the style of their cell."""

    def __init__(self, package: Package) -> None:
        self._kinds: list[_Kind | None] = []
        self._start = datetime(1899, 12, 30)
        if "xl/styles.xml" in package:
            self._read(package)
        for each in package.elements("xl/workbook.xml", "workbookPr") if _has(package) else ():
            if each.get("date1904") in ("1", "true"):
                self._start = datetime(1904, 1, 1)

    def _read(self, package: Package) -> None:
        formats = dict(BUILT_IN)
        for each in package.elements("xl/styles.xml", "numFmt", "cellXfs"):
            if each.tag == "numFmt":
                number = each.get("numFmtId", "")
                formats[int(number) if number.isdigit() else -1] = each.get("formatCode", "")
            else:
                for style in each.iter("xf"):
                    number = style.get("numFmtId", "0")
                    shown = formats.get(int(number) if number.isdigit() else 0, "")
                    self._kinds.append(_kind(shown))

    def convert(self, number: float, style: str | None) -> str | None:
        """Return the date or time of a number in ISO 8601; None: the style is of no date."""
        place = int(style) if style is not None and style.isdigit() else 0
        kind = self._kinds[place] if place < len(self._kinds) else None
        if kind is None or not 0 <= number < MAX_DAYS:
            return None
        seconds = round(number * 86_400, 3)
        if kind is _Kind.SPAN:
            return _duration(seconds)
        moment = self._start + timedelta(seconds=seconds)
        if number < 1:
            return _time(moment)
        if moment.hour or moment.minute or moment.second or moment.microsecond:
            return f"{moment.date().isoformat()}T{_time(moment)}"
        return moment.date().isoformat()


def _has(package: Package) -> bool:
    return "xl/workbook.xml" in package


def _time(moment: datetime) -> str:
    return moment.time().isoformat("milliseconds" if moment.microsecond else "seconds")


def _duration(seconds: float) -> str:
    hours, rest = divmod(seconds, 3_600)
    minutes, rest = divmod(rest, 60)
    return f"PT{hours:.0f}H{minutes:.0f}M{rest:g}S"


def _kind(shown: str) -> _Kind | None:
    if SPAN.search(shown):
        return _Kind.SPAN
    plain = QUOTED.sub("", shown.split(";")[0]).lower()
    if "general" in plain:
        return None
    return _Kind.DATE if re.search("[ydhs]|m", plain) else None
