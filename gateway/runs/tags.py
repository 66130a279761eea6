"""Tags in bodies of requests."""

from typing import Annotated

from msgspec import Meta

from engine.executions.tags import MAX_TAG, MAX_TAGS
from gateway.http.types import doc, refused

TAG_PATTERN = r"^[^\x00]*$"
TAG_RULE = f"must have 1 to {MAX_TAG} characters, none of them NUL"
MAX_WANTED = 2 * MAX_TAGS
"""Most tags of a filter: an item of a batch has its own, and those of the batch."""
Tag = Annotated[str, Meta(min_length=1, max_length=MAX_TAG, pattern=TAG_PATTERN)]
WantedTags = Annotated[list[Tag], Meta(min_length=1, max_length=MAX_WANTED), refused(TAG_RULE)]
"""Type of a parameter of a query, which may be repeated."""
WantedTagsOfBody = Annotated[
    Tag | Annotated[list[Tag], Meta(min_length=1, max_length=MAX_WANTED)],
    refused(f"{TAG_RULE}, or be a list of at most {MAX_WANTED} of these"),
]
Tags = Annotated[
    Annotated[list[Tag], Meta(max_length=MAX_TAGS)],
    doc("Texts to find the execution by.", ["nightly", "customer:42"]),
    refused(f"must be a list of at most {MAX_TAGS} texts of 1 to {MAX_TAG} characters without NUL"),
]
"""Type of a member of a body."""
