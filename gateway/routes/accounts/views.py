"""Types of accounts, for the account itself and for admins."""

from typing import Any, Self

from engine.access.capabilities import Role, Tier
from engine.store import Account
from gateway.http.types import Credits, Moment, Nested, View


class UserView(Nested):
    """An account."""

    id: str
    email: str
    role: Role
    tier: Tier
    approved: bool


class BalanceView(Nested):
    """Credits that an account can spend."""

    balance: Credits


class AccountView(UserView, View):
    """An account, as administrators see it."""

    credits: BalanceView
    created_at: Moment

    @classmethod
    def from_record(cls, record: Account, **members: Any) -> Self:
        """Build the view of an account with this `balance`."""
        return super().from_record(record, credits=BalanceView(members.pop("balance")), **members)
