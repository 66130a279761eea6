"""Gates that let tests call their own servers."""

from engine.net.url_policy import Target, check_url
from workers.outbound.address_gate import AddressGate


class AnyPort(AddressGate):
    """The strict gate, blind to ports and to how a URL is written: addresses alone decide."""

    def check(self, url: str) -> Target:
        return check_url(url, allow_private=True)

    def admits(self, address: str, port: int) -> bool:
        return super().admits(address, 443)


class PublicSite(AddressGate):
    """The strict gate for URLs, which takes one server of a test for a site of the internet.

    It admits any address, so that what is refused is refused for its URL alone.
    """

    def __init__(self, site: str) -> None:
        super().__init__(allow_private=False)
        self._site = check_url(site, allow_private=True)

    def check(self, url: str) -> Target:
        target = check_url(url, allow_private=True)
        is_site = (target.host, target.port) == (self._site.host, self._site.port)
        return target if is_site else super().check(url)

    def admits(self, address: str, port: int) -> bool:
        return True


class OneHost(AnyPort):
    """Takes one address of loopback for the public internet."""

    def admits(self, address: str, port: int) -> bool:
        return address == "127.0.0.1"
