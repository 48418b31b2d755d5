"""Which addresses a probe may talk to."""

import ipaddress

import pytest

from bot.adapters.probe_addresses import AddressRefused, refuse, resolve


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "fd20:ce::254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "0.0.0.0",
        "::",
        "::ffff:0.0.0.0",
        "224.0.0.1",
        "ff02::1",
    ],
)
@pytest.mark.parametrize("allow_loopback", [False, True])
def test_metadata_servers_and_what_is_nobodys_address_are_always_refused(
    address: str, allow_loopback: bool
) -> None:
    with pytest.raises(AddressRefused):
        refuse(ipaddress.ip_address(address), allow_loopback=allow_loopback)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
def test_this_machine_is_refused_unless_allowed(address: str) -> None:
    with pytest.raises(AddressRefused, match="this machine"):
        refuse(ipaddress.ip_address(address), allow_loopback=False)

    refuse(ipaddress.ip_address(address), allow_loopback=True)


@pytest.mark.parametrize("address", ["203.0.113.7", "10.1.2.3", "192.168.0.9", "2001:db8::7", "fd00::7"])
def test_public_and_private_services_may_be_probed(address: str) -> None:
    refuse(ipaddress.ip_address(address), allow_loopback=False)


@pytest.mark.parametrize(
    "name", ["metadata.google.internal", "Metadata.Google.Internal.", "metadata", "metadata.goog"]
)
async def test_a_metadata_name_is_refused_without_looking_it_up(name: str) -> None:
    with pytest.raises(AddressRefused, match="metadata server"):
        await resolve(name, 80, allow_loopback=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f000001", "127.1", "localhost"])
async def test_however_this_machine_is_spelled_it_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        await resolve(host, 80, allow_loopback=False)


async def test_ipv4_is_tried_first() -> None:
    addresses = await resolve("localhost", 80, allow_loopback=True)

    assert addresses[0] == ipaddress.ip_address("127.0.0.1")


async def test_one_refused_address_among_several_refuses_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(0, 0, 0, "", ("203.0.113.7", 80)), (0, 0, 0, "", ("169.254.169.254", 80))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: answers)

    with pytest.raises(AddressRefused):
        await resolve("rebinding.example", 80, allow_loopback=False)
