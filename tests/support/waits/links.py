"""Links to approvals."""

from engine.access.approval_links import ApprovalLinks, ApprovalPlace
from engine.access.sealing import Sealer
from engine.settings import Settings
from engine.store.waits.node_waits import WaitRef


def link_to(settings: Settings, ref: WaitRef, base: str = "") -> str:
    """Return the link to an approval; without a base its path."""
    links = ApprovalLinks(Sealer.from_secret_key(settings.secret_key), base)
    url = links.url_of(ApprovalPlace(ref.account_id, ref.execution_id, ref.node_index))
    assert url is not None
    return url
