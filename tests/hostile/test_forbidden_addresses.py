"""No address that anybody writes has the service connect to where it must not: every connection is counted."""

import ipaddress
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from urllib.parse import quote

import pytest

from indexer.errors import FetchFailed, ImageRejected
from indexer.images.addresses import Address
from indexer.images.fetch import Fetcher
from indexer.images.reasons import Reason
from tests.indexer.images.test_fetch import AUTHORITY, FORBIDDEN, LOOPBACK, port

__all__ = ["port"]

NAMES = {
    "metadata.google.internal": "169.254.169.254",
    "localhost": "127.0.0.1",
    "localhost.": "127.0.0.1",
    "localtest.me": "127.0.0.1",
    "127.0.0.1.nip.io": "127.0.0.1",
    "intranet": "10.1.2.3",
    "router.lan": "192.168.0.1",
    "six.test": "::1",
    "mapped.test": "::ffff:127.0.0.1",
    "nat64.test": "64:ff9b::7f00:1",
    "link.test": "fe80::1",
    "xn--bcher-kva.test": "10.0.0.1",
}
_HOSTS = """
127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0x7f.0.0.1 017700000001 0177.0.0.1 0177.0.0.01 127.0.0.1.
127.000.000.001 00000177.0.0.1 0x0000007f.0.0.1 127.0x0.0x0.1 0 0.0.0.0 1.1.1.1.127.0.0.1 2852039166 0xa9fea9fe
0251.0376.0251.0376 169.254.43518 0xA9.0xFE.0xA9.0xFE 169.16689662 3232235777 0xc0a80101 167772161 0x0a000001
0xffffffff 4294967295 [::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1]
[::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1] [64:ff9b:1::10.0.0.1] [2002:7f00:1::] [2001:0:7f00:1::] [fe80::1]
[fe80::1%25lo] [fe80::1%lo] [::1%lo] [fc00::1] [fec0::1] [ff02::1] [2a00:1450::5efe:127.0.0.1] [fd00:ec2::254]
[::ffff:169.254.169.254] [0:0:0:0:0:ffff:a9fe:a9fe] [::1]. [v1.a] １２７.０.０.１ ①②⑦.⓪.⓪.① 127。0。0。1
127｡0｡0｡1 ⓛⓞⓒⓐⓛⓗⓞⓢⓣ ＬＯＣＡＬＨＯＳＴ LOCALHOST lOcAlHoSt %6c%6f%63%61%6c%68%6f%73%74 %31%32%37.0.0.1
127%2e0%2e0%2e1 bücher.test
"""
_URLS = """
https://1.1.1.1@127.0.0.1/ https://1.1.1.1:443@127.0.0.1/ https://127.0.0.1#@1.1.1.1/
https://127.0.0.1?@1.1.1.1/ https://127.0.0.1\\@1.1.1.1/ https://1.1.1.1\\@127.0.0.1/ https:\\\\127.0.0.1\\
https:127.0.0.1 https:/127.0.0.1/ https:///127.0.0.1/ https://127.0.0.1:443/ https://127.0.0.1:0443/
https://127.0.0.1:+443/ https://[::1]:443/ https://127.0.0.1:/ https://127.0.0.1:22/ https://1.1.1.1:22/
https://1.1.1.1:80/ https://1.1.1.1:6379/ https://1.1.1.1:0/ https://1.1.1.1:-1/ https://1.1.1.1:65979/
http://127.0.0.1/ http://1.1.1.1/ HTTP://1.1.1.1/ ftp://1.1.1.1/a.jpg ftps://1.1.1.1/ sftp://1.1.1.1/
gopher://127.0.0.1:6379/_INFO file:///etc/passwd file://localhost/etc/passwd file:/etc/passwd FILE:///etc/passwd
dict://127.0.0.1:11211/stat ldap://127.0.0.1/ tftp://127.0.0.1/a jar:https://127.0.0.1!/a netdoc:///etc/passwd
data:image/png;base64,iVBORw0KGgo= blob:https://127.0.0.1/a javascript:alert(1) about:blank ws://127.0.0.1/
wss://127.0.0.1/ unix:///var/run/docker.sock //127.0.0.1/ /etc/passwd view-source:https://127.0.0.1/
s3://bucket/a.jpg gs://bucket/a.jpg php://filter/resource=/etc/passwd https:// https://. https://..
"""
WITH_SPACES = (
    "https://127.0.0.1\t/",
    " https://127.0.0.1/",
    "https://127.0.0.1\r\nHost: a/",
    "https://1.1.1.1 @127.0.0.1/",
    "https://127.0.0.1\0.example/",
    "https://exa\udcffmple/",
    "https://" + "a" * 300 + ".test/",
    "https://" + "a." * 2_000 + "test/",
)
URLS = _URLS.split()
TABLE = [*(f"https://{host}/a.jpg" for host in (*_HOSTS.split(), *NAMES)), *URLS, *WITH_SPACES]
_WATCHING: list[list[object]] = []
"""Who is told of connections; a hook of the interpreter stays for good."""


def _watch(event: str, details: tuple[object, ...]) -> None:
    if event == "socket.connect":
        for made in _WATCHING:
            made.append(details[1])


sys.addaudithook(_watch)


@contextmanager
def connections() -> Iterator[list[object]]:
    """Addresses that sockets of this process are connected to meanwhile."""
    made: list[object] = []
    _WATCHING.append(made)
    try:
        yield made
    finally:
        _WATCHING.remove(made)


def lookup(host: str, port: int) -> list[Address]:
    """The names of the table, and every notation of numbers that the system's own resolver understands."""
    if host in NAMES:
        return [ipaddress.ip_address(NAMES[host])]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [ipaddress.ip_address(entry[4][0]) for entry in found]


@pytest.fixture(scope="module")
def fetcher() -> Iterator[Fetcher]:
    """With the rules of the service, and the table's names."""
    with Fetcher(1_000, 2.0, resolver=lookup) as fetcher:
        yield fetcher


@pytest.fixture(scope="module")
def inside(port: int) -> Iterator[Fetcher]:
    """One server on this machine counts as public, to redirect from."""
    trust = ssl.create_default_context()
    AUTHORITY.configure_trust(trust)
    ports = frozenset({port, 443})
    names = {"shop.test": LOOPBACK}
    with Fetcher(
        1_000,
        2.0,
        resolver=lambda host, port: [names[host]] if host in names else lookup(host, port),
        permits=LOOPBACK.__eq__,
        ports=ports,
        trust=trust,
    ) as fetcher:
        yield fetcher


def test_the_table_is_long() -> None:
    assert len(set(TABLE)) >= 130
    assert len(FORBIDDEN.split()) >= 29


@pytest.mark.parametrize("url", TABLE)
def test_no_connection_is_made(fetcher: Fetcher, url: str) -> None:
    with connections() as made, pytest.raises((ImageRejected, FetchFailed)) as refused:
        fetcher.fetch(url)
    assert made == []
    if isinstance(refused.value, ImageRejected):
        assert refused.value.reason in (Reason.FORBIDDEN_ADDRESS, Reason.NOT_HTTPS, Reason.FETCH_FAILED)


@pytest.mark.parametrize("address", FORBIDDEN.split())
def test_no_connection_is_made_to_what_a_name_leads_to(address: str) -> None:
    with (
        Fetcher(1_000, 2.0, resolver=lambda host, port: [ipaddress.ip_address(address)]) as fetcher,
        connections() as made,
        pytest.raises(ImageRejected) as refused,
    ):
        fetcher.fetch("https://shop.test/a.jpg")
    assert refused.value.reason == Reason.FORBIDDEN_ADDRESS
    assert made == []


@pytest.mark.parametrize("url", [one for one in URLS if "127.0.0.1" not in one or ":22" in one])
@pytest.mark.parametrize("hops", [1, 3])
def test_redirects_are_held_to_the_same_rules(inside: Fetcher, port: int, url: str, hops: int) -> None:
    chain = f"https://shop.test:{port}"
    start = chain + "/to?url=" + quote(url)
    for _ in range(hops - 1):
        start = chain + "/to?url=" + quote(start)
    with connections() as made, pytest.raises((ImageRejected, FetchFailed)):
        inside.fetch(start)
    assert set(made) <= {("127.0.0.1", port)}


def test_a_name_that_leads_elsewhere_every_time_leads_nowhere_else(port: int) -> None:
    """Half of the answers of this name server are outward, and half inward."""
    answers = cycle([LOOPBACK, ipaddress.ip_address("127.0.0.2"), ipaddress.ip_address("::1")])
    trust = ssl.create_default_context()
    AUTHORITY.configure_trust(trust)
    outcomes = []
    with connections() as made:
        for _ in range(12):
            with Fetcher(
                1_000,
                2.0,
                resolver=lambda host, port: [next(answers)],
                permits=LOOPBACK.__eq__,
                ports=frozenset({port}),
                trust=trust,
            ) as fetcher:
                try:
                    outcomes.append(fetcher.fetch(f"https://shop.test:{port}/photo.jpg"))
                except ImageRejected as error:
                    outcomes.append(error.reason.encode())
    assert outcomes == [b"photo", b"forbidden_address", b"forbidden_address"] * 4
    assert set(made) == {("127.0.0.1", port)}
