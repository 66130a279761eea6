"""Numbers as `headrace top` writes them: short, and of a width that changes little."""

from collections.abc import Sequence

NONE = "-"
BARS = "▁▂▃▄▅▆▇█"
KILO = 1_024


def words_of_rate(per_second: float | None) -> str:
    """Return events per second: two digits after the point below ten."""
    if per_second is None:
        return NONE
    return f"{per_second:.2f}" if 0 < per_second < 10 else f"{per_second:,.0f}"


def words_of_seconds(seconds: float | None) -> str:
    """Return a length of time in its largest unit."""
    if seconds is None:
        return NONE
    if seconds < 1:
        milliseconds = seconds * 1000
        return f"{milliseconds:.1f} ms" if 0 < milliseconds < 10 else f"{milliseconds:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3_600:.0f} h"


def words_of_bytes(size: float | None) -> str:
    """Return a number of bytes in its largest unit."""
    if size is None:
        return NONE
    for unit in ("B", "KB", "MB"):
        if size < KILO:
            return f"{size:.1f} {unit}" if 0 < size < 10 and unit != "B" else f"{size:.0f} {unit}"
        size /= KILO
    return f"{size:.1f} GB"


def bars(values: Sequence[float | None], width: int) -> str:
    """Return values as bars, of the width; a place without values is blank."""
    if not values or width <= 0:
        return ""
    places = _spread(values, width)
    top = max((each for each in places if each is not None), default=0.0)
    return "".join(
        " " if each is None else BARS[0] if top <= 0 else BARS[round(each / top * (len(BARS) - 1))]
        for each in places
    )


def _spread(values: Sequence[float | None], width: int) -> list[float | None]:
    """Return the highest value of each place."""
    places: list[float | None] = []
    for place in range(width):
        first = place * len(values) // width
        last = max(first + 1, (place + 1) * len(values) // width)
        known = [each for each in values[first:last] if each is not None]
        places.append(max(known) if known else None)
    return places
