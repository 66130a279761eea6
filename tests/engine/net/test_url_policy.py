"""Policy for outbound URLs: accepted ones, refused ones, and ambiguous spellings."""

import ipaddress
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from engine.net.url_policy import Target, UrlRefused, check_url

# -- what a URL means -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "path"),
    [
        ("https://example.com", "https", "example.com", 443, "/"),
        ("https://notlocalhost.example/", "https", "notlocalhost.example", 443, "/"),
        ("HTTP://Example.COM/a?b=c#d", "http", "example.com", 80, "/a?b=c"),
        ("http://example.com:443/", "http", "example.com", 443, "/"),
        ("https://8.8.8.8/", "https", "8.8.8.8", 443, "/"),
        ("https://[2606:4700:0::1111]/", "https", "2606:4700::1111", 443, "/"),
        ("https://example.com/a@b", "https", "example.com", 443, "/a@b"),
        ("https://example.com?a=b", "https", "example.com", 443, "/?a=b"),
        ("https://example.com/?a=b@c#/@", "https", "example.com", 443, "/?a=b@c"),
        ("https://a_b.example-1.com/", "https", "a_b.example-1.com", 443, "/"),
        ("https://bücher.example/ü", "https", "xn--bcher-kva.example", 443, "/ü"),
        ("https://BÜCHER.example/", "https", "xn--bcher-kva.example", 443, "/"),
        ("https://1.2.3.4.example/", "https", "1.2.3.4.example", 443, "/"),
    ],
)
def test_a_public_url_is_accepted(url: str, scheme: str, host: str, port: int, path: str) -> None:
    assert check_url(url) == Target(scheme=scheme, host=host, port=port, path=path)


@pytest.mark.parametrize(
    ("url", "again"),
    [
        ("HTTP://Example.COM:80/a?b#c", "http://example.com/a?b"),
        ("https://example.com:80?b", "https://example.com:80/?b"),
        ("https://[2606:4700::0:1]:443", "https://[2606:4700::1]/"),
    ],
)
def test_a_url_is_written_again_in_one_spelling(url: str, again: str) -> None:
    assert check_url(url).url == again


FORMS = [
    "",
    "example.com",
    "//example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "data:text/plain,hello",
    "ws://example.com/",
    "javascript:alert(1)",
    "unix:///run/x",
    "http+unix://%2Frun%2Fx/",
    "http\u017f://example.com/",
    "http:example.com",
    "http:/example.com/",
    "http:\\\\example.com/",
    "http://",
    "http:///path",
    "http://///example.com/",
    "https://:443/",
    "http://user@example.com/",
    "http://user:pw@example.com/",
    "http://@example.com/",
    "http://a@127.0.0.1/",
    "http://127.0.0.1@evil.example/",
    "http://evil.example#@127.0.0.1/",
    "http://evil.example?@127.0.0.1/",
    "http://evil.example\\@127.0.0.1/",
    "http://evil.example\\.127.0.0.1/",
    "http://127.0.0.1:80\\@evil.example/",
    "http://exa\tmple.com/",
    "http://example.com/\r\nHost: x",
    "http://example.com/\x00",
    "http://example.com/\x85",
    "http://example.com/\u2028",
    "http://example.com/\ud800",
    "\ufeffhttp://example.com/",
    " http://example.com/",
    "http://example.com/ ",
    "http://example.com/a b",
    "http://example.com:/",
    "http://example.com:0/",
    "http://example.com:080/",
    "http://example.com:65536/",
    "http://example.com:99999/",
    "http://example.com:x/",
    "http://example.com:80:80/",
    "http://example.com:٨٠/",
    "http://example.com./",
    "http://example..com/",
    "http://.example.com/",
    "http://-a.example/",
    "http://a,b.example/",
    "http://a{b}.example/",
    "http://*.example/",
    "http://%65xample.com/",
    "http://exam%00ple.com/",
    "http://" + "a" * 64 + ".example/",
    "http://" + "a." * 127 + "example/",
    "http://[::1/",
    "http://::1/",
    "http://[::1]x/",
    "http://x[::1]/",
    "http://[::1][::1]/",
    "http://[]/",
    "http://[1.2.3.4]/",
    "http://[v1.x]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://faß.example/",
    "http://ꮃ.example/",
    "http://\u10fc.example/",
    "http://\u115f.example/",
    "http://\U000e0080/",
    "http://ＡＢ.example/",
    "http://a\u200d.example/",
    "http://example。com/",
    "http://e\u0301xample.com/",
    "http://example.com/" + "a" * 8_192,
]
SPELLINGS = [
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0X7F000001/",
    "http://0x7f.1/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0177.0.0.1/",
    "http://0177.1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://0x/",
    "http://127.0.0.01/",
    "http://127.0.0.1./",
    "http://127.0.0.1。/",
    "http://127。0。0。1/",
    "http://127.0.0.256/",
    "http://1.2.3.4.5/",
    "http://4294967297/",
    "http://①②⑦.⓪.⓪.①/",
    "http://１２７.０.０.１/",
    "http://١٢٧.٠.٠.١/",
    "http://%31%32%37.0.0.1/",
    "http://127.0.0.1%2f@evil.example/",
    "http://localhost\u3002/",
]
PRIVATE = [
    "http://example.com:8080/",
    "http://example.com:22/",
    "https://example.com:6379/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://a.localhost/",
    "http://localhost.localdomain/",
    "http://redis/",
    "http://gateway.internal/",
    "http://printer.local/",
    "http://router.lan/",
    "http://nas.home.arpa/",
    "http://metadata/",
    "http://kubernetes.default.svc.cluster.local/",
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[0:0:0:0:0:0:0:1]/",
]
METADATA = [
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://METADATA.goog/",
    "http://a.metadata.goog/",
    "http://metadata.tencentyun.com/",
    "http://instance-data.ec2.internal/",
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://169.254.1.1:8000/",
    "http://100.100.100.200/latest/meta-data/",
    "http://168.63.129.16/machine",
    "http://192.0.0.192/opc/v2/",
    "http://[fd00:ec2::254]/",
    "http://[fd20:ce::254]/",
    "http://[fe80::1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::a9fe:a9fe]/",
    "http://[::ffff:0:a9fe:a9fe]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:db8::5efe:a9fe:a9fe]/",
]


@pytest.mark.A39
@pytest.mark.A38
@pytest.mark.parametrize("url", [*FORMS, *SPELLINGS, *PRIVATE, *METADATA])
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused) as caught:
        check_url(url)

    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.A43
@pytest.mark.parametrize("url", METADATA)
def test_link_local_addresses_and_metadata_services_are_refused_everywhere(url: str) -> None:
    with pytest.raises(UrlRefused, match="metadata"):
        check_url(url, allow_private=True)


@pytest.mark.A48
@pytest.mark.A39
@pytest.mark.parametrize("url", [*FORMS, *SPELLINGS])
def test_the_form_of_a_url_is_checked_even_where_private_ones_are_allowed(url: str) -> None:
    with pytest.raises(UrlRefused):
        check_url(url, allow_private=True)


@pytest.mark.parametrize("url", PRIVATE)
def test_private_urls_are_accepted_where_allowed(url: str) -> None:
    assert check_url(url, allow_private=True).host


# -- what other parsers make of it ----------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *("http", "https", "HTTP", "ftp", ":", "/", "//", "///", "\\", "@", "?", "#", "[", "]"),
        *("%", "%25", "%2f", ".", "。", "..", "-", "_", ";", ",", "&", "=", "+", "~", "|", "^"),
        *("a", "example", "com", "evil.example", "localhost", "127.0.0.1", "127", "0x7f", "0"),
        *("::1", "[::1]", "[::ffff:127.0.0.1]", "fe80::1%eth0", "80", "443", ":80", ":443"),
        *("①", "１", "ß", "ü", "ſ", "K", "\u200d", "\u0338", "xn--", "xn--bcher-kva", "é", "日本"),
        *(" ", "\t", "\n", "\r", "\x00", "\x7f", "\x85", "\u2028", "\ufeff", "\ud800"),
    ]
)
URLS = st.one_of(
    st.lists(PIECES, max_size=12).map("".join),
    st.lists(PIECES, max_size=10).map(lambda pieces: "http://" + "".join(pieces)),
    st.text(max_size=40).map(lambda text: "https://" + text),
    st.text(st.characters(categories=["L", "M", "N"]), max_size=5).map("http://{}.b/".format),
)


@pytest.mark.A39
@pytest.mark.A38
@given(url=URLS)
@example("http://example.com?x")
@example("http://[::ffff:127.0.0.1]:80/")
@example("https://bücher.example/")
def test_what_is_accepted_is_read_alike_by_other_parsers(url: str) -> None:
    try:
        target = check_url(url, allow_private=True)
    except UrlRefused:
        return

    other, third = urlsplit(url), URL(url)
    assert other.username is other.password is third.user is None
    assert (other.scheme, third.scheme) == (target.scheme, target.scheme)
    assert (other.port or third.port, third.port) == (target.port, target.port)
    assert third.raw_host == target.host
    assert _plain(other.hostname or "") == target.host


@given(url=URLS)
def test_the_one_spelling_means_the_same(url: str) -> None:
    try:
        target = check_url(url, allow_private=True)
    except UrlRefused:
        return

    assert check_url(target.url, allow_private=True) == target
    again = URL(target.url)
    assert (again.scheme, again.raw_host, again.port) == (target.scheme, target.host, target.port)
    assert target.host.isascii()


def _plain(host: str) -> str:
    if ":" in host:
        return ipaddress.ip_address(host).compressed
    return host.encode("idna").decode()
