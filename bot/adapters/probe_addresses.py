"""Which addresses a probe may talk to: not the machine's own, and never a metadata server."""

import asyncio
import ipaddress
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Hand out credentials to whoever asks from inside: the fixed IPv6 addresses of Google and Amazon.
#: The IPv4 one, 169.254.169.254, is link-local.
METADATA_SERVERS = frozenset({ipaddress.ip_address("fd20:ce::254"), ipaddress.ip_address("fd00:ec2::254")})
METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog"})
#: IPv6 networks whose last 32 bits are an IPv4 address that a gateway will call.
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefused(Exception):
    """A probe may not talk to this address; the message says why."""


async def resolve(host: str, port: int, *, allow_loopback: bool) -> list[Address]:
    """Return the addresses of `host`, IPv4 first because Cloud Run has no IPv6 way out by default.

    The caller connects to one of these and does not look the name up again: a second answer could
    be another one.

    Raises:
        AddressRefused: the name or any of its addresses is not to be probed.
        OSError: the name could not be looked up.
    """
    if host.lower().rstrip(".") in METADATA_NAMES:
        raise AddressRefused(f"{host} is a metadata server")
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(ipaddress.ip_address(answer[4][0]) for answer in found))
    for address in addresses:
        refuse(address, allow_loopback=allow_loopback)
    return sorted(addresses, key=lambda address: address.version)


def refuse(address: Address, *, allow_loopback: bool) -> None:
    """Let `address` pass if it may be probed. Private networks may: services live there.

    Raises:
        AddressRefused: it is link-local, a metadata server, this machine or nobody's.
    """
    real = _real(address)
    if real.is_link_local or real in METADATA_SERVERS:
        raise AddressRefused(f"{address} is a link-local or metadata address")
    if real.is_unspecified or real.is_multicast:
        raise AddressRefused(f"{address} is no service's address")
    if real.is_loopback and not allow_loopback:
        raise AddressRefused(f"{address} is this machine")


def _real(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one only wraps, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
