"""Alert rules with all durations divided, so that a trial of minutes takes seconds."""

import re

WINDOW = re.compile(r"\[(\d+)([smh])\]")
FOR = re.compile(r"^( +for: )(\d+)([smh])$", re.MULTILINE)
THRESHOLD = re.compile(r"(headrace_\w+_seconds\) > )(\d+)")
LATENESS = re.compile(r'(_seconds_bucket\{le=")(\d+)\.0"')
SECONDS = {"s": 1, "m": 60, "h": 3_600}


def divide(rules: str, factor: float) -> str:
    """Return rules whose windows, holds and limits of seconds are divided.

    Limits of lateness are names of buckets, and become those of the buckets at a half: at a tenth
    the other work of a machine would exceed them.
    """

    def shorter(found: re.Match[str]) -> str:
        number, unit = found.groups()[-2:]
        milliseconds = round(int(number) * SECONDS[unit] * 1_000 / factor)
        return found[0].replace(f"{number}{unit}", f"{milliseconds}ms")

    rules = WINDOW.sub(shorter, rules)
    rules = FOR.sub(shorter, rules)
    rules = THRESHOLD.sub(lambda found: f"{found[1]}{int(found[2]) / factor:g}", rules)
    return LATENESS.sub(lambda found: f'{found[1]}{int(found[2]) / 2:.1f}"', rules)
