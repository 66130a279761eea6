"""Tags in bodies of requests."""

from typing import Annotated

from msgspec import Meta

from engine.executions.tags import MAX_TAG, MAX_TAGS
from gateway.http.types import doc, refused

TAG_PATTERN = r"^[^\x00]*$"
Tag = Annotated[str, Meta(min_length=1, max_length=MAX_TAG, pattern=TAG_PATTERN)]
Tags = Annotated[
    Annotated[list[Tag], Meta(max_length=MAX_TAGS)],
    doc("Texts to find the execution by.", ["nightly", "customer:42"]),
    refused(f"must be a list of at most {MAX_TAGS} texts of 1 to {MAX_TAG} characters without NUL"),
]
"""Type of a member of a body."""
