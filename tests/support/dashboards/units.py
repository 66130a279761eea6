"""Values with units, as Grafana writes them."""

SECONDS = ((1, "s", 1.0), (1e-3, "ms", 1e3), (0, "µs", 1e6))
LONG_SECONDS = ((86_400, "days"), (3_600, "hours"), (60, "mins"))
BYTES = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
LARGE = ((1e9, " Bil"), (1e6, " Mil"), (1e3, " K"))
RATES = {"ops": " ops/s", "reqps": " req/s"}


def write_value(value: float, unit: str) -> str:
    """Return a value with its unit."""
    if unit == "s":
        return _seconds(value)
    if unit == "percentunit":
        return f"{_digits(value * 100)}%"
    if unit == "bytes":
        for size, name in BYTES:
            if abs(value) >= size:
                return f"{_digits(value / size)} {name}"
        return f"{_digits(value)} B"
    for size, name in LARGE:
        if abs(value) >= size:
            return f"{_digits(value / size)}{name}{RATES.get(unit, '')}"
    return f"{_digits(value)}{RATES.get(unit, '')}"


def _seconds(value: float) -> str:
    for size, name in LONG_SECONDS:
        if abs(value) >= size:
            return f"{_digits(value / size)} {name}"
    if value == 0:
        return "0 s"
    for size, name, factor in SECONDS:
        if abs(value) >= size:
            return f"{_digits(value * factor)} {name}"
    raise AssertionError(value)


def _digits(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
