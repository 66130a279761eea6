"""The owner of webhooks, as the tests of webhooks have it."""

from tests.contract.webhooks.conftest import owner

__all__ = ["owner"]
