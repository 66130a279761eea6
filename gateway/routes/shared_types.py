"""Types that several resources have in common."""

from decimal import Decimal
from typing import Literal

from gateway.http.types import View


class Deleted(View):
    """The answer to a deletion."""

    component = "Deleted"

    success: Literal[True]


DELETED = Deleted(success=True)
Deleted.examples = (DELETED,)


def exact_number(number: Decimal) -> Decimal:
    """The same number in as few digits as it takes, never with an exponent above zero."""
    is_whole = number == number.to_integral_value()
    return Decimal(int(number)) if is_whole else number.normalize()
