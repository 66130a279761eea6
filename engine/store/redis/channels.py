"""Channels of Redis on which changes are told to all processes."""


def access_changes() -> str:
    """Channel: ids of accounts of which a record, a key or a session has changed or is gone."""
    return "hr:access_changes"


def model_changes() -> str:
    """Channel: internal names of models saved or deleted over HTTP."""
    return "hr:model_changes"
