"""Which internet addresses a URL from a catalogue may lead to: public unicast ones and nothing else.

Python's `ipaddress.is_global` lets through addresses that carry another address inside (NAT64, 6to4, Teredo,
ISATAP) and some that never leave a host's network, hence the lists. Sources: IANA IPv4 and IPv6 Special-Purpose
Address Registries (RFC 6890 and updates); RFC 5214 (ISATAP); Microsoft Azure's wire server address.
"""

import ipaddress
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_FORBIDDEN_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_FORBIDDEN_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""Upper half of the interface identifier; the lower half is an IPv4 address."""


def is_public(address: Address) -> bool:
    """Whether a connection to it leaves every private network for an ordinary host of the internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not any(address in network for network in _FORBIDDEN_V4)
    if address.scope_id is not None or address not in _UNICAST_V6:
        return False
    if any(address in network for network in _FORBIDDEN_V6):
        return False
    return address.is_global and (int(address) >> 32) & 0xFFFF_FFFF not in _ISATAP


def is_named(host: str, patterns: tuple[str, ...]) -> bool:
    """Whether the host is one of the patterns in lower case; `*.shop.example` is any name under it, not itself."""
    name = host.lower().removesuffix(".")
    return any(name == one or (one.startswith("*.") and name.endswith(one[1:])) for one in patterns)


def resolve(host: str, port: int) -> tuple[Address, ...]:
    """Every address of the host, in the system's order of preference; raises `OSError` when there is none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))
