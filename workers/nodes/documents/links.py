"""Links in Markdown."""

from collections.abc import Collection

SCHEMES = ("http://", "https://", "mailto:")
MAX_LINK = 2_048


def link_text(text: str, url: str, others: Collection[str] = ()) -> str:
    """Return a link with its text; a URL of another scheme is left out.

    `others` are starts of URLs that are kept besides.
    """
    shown, url = text.strip(), url.strip()
    allowed = url.lower().startswith((*SCHEMES, *others)) and len(url) <= MAX_LINK
    if not shown or not allowed or any(letter.isspace() for letter in url):
        return text
    if shown == url:
        return f"<{url}>"
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    target = url.replace("(", "%28").replace(")", "%29")
    return f"{before}[{shown}]({target}){after}"
