"""Types that several resources have in common."""

from typing import Literal

from gateway.http.types import View


class Deleted(View):
    """The answer to a deletion."""

    component = "Deleted"

    success: Literal[True]


DELETED = Deleted(success=True)
Deleted.examples = (DELETED,)
