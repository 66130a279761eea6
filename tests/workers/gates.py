"""Gates that let tests call servers of theirs."""

from engine.urls import Target, check_url
from workers.http.gate import Gate


class AnyPort(Gate):
    """The strict gate, blind to ports and to how a URL is written: addresses alone decide."""

    def check(self, url: str) -> Target:
        return check_url(url, allow_private=True)

    def admits(self, address: str, port: int) -> bool:
        return super().admits(address, 443)


class OneHost(AnyPort):
    """Takes one address of loopback for the public internet."""

    def admits(self, address: str, port: int) -> bool:
        return address == "127.0.0.1"
