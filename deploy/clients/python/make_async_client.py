"""Write `async_client.py`, which is `client.py` with `await`: run it after each change of that."""

import re
from pathlib import Path

PACKAGE = Path(__file__).parent / "headrace_client"
CHANGES = (
    (r'\A"""The blocking client\."""', '"""The asynchronous client; made of `client.py`."""'),
    (r"\bclass (\w+):", r"class Async\1:"),
    (r"= (Executions|Batches|Triggers|Approvals|Assets)\(", r"= Async\1("),
    (r"`Headrace\.", "`AsyncHeadrace."),
    (r"\bBlockingDriver\b", "AwaitingDriver"),
    (r"\bdrivers\.blocking\b", "drivers.awaiting"),
    (r"\bhttpx\.Client\b", "httpx.AsyncClient"),
    (r"\bIterable, Iterator\b", "AsyncIterator, Iterable"),
    (r"-> Iterator\[", "-> AsyncIterator["),
    (r"safe to share between threads", "for one event loop"),
    (r"\bself\._driver\.call\(", "await self._driver.call("),
    (r"self\._driver\.http\.close\(\)", "await self._driver.http.aclose()"),
    (r"\bself\.close\(\)", "await self.close()"),
    (r"def __(enter|exit)__", r"async def __a\1__"),
    (r"def close\(", "async def close("),
)
VERB = re.compile(
    r"^    def (?!__)(?=(?:(?!^    (?:async )?def ).)*?await )", re.MULTILINE | re.DOTALL
)


def make_async(source: str) -> str:
    """Return the source of the asynchronous client."""
    for pattern, replacement in CHANGES:
        source = re.sub(pattern, replacement, source)
    return VERB.sub("    async def ", source)


def main() -> None:
    """Write the module."""
    source = (PACKAGE / "client.py").read_text(encoding="utf-8")
    (PACKAGE / "async_client.py").write_text(make_async(source), encoding="utf-8")


if __name__ == "__main__":
    main()
