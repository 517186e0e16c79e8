"""IP addresses of viewers, and the networks that tokens name."""

from __future__ import annotations

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def address_of(text: str) -> Address | None:
    """An IPv4 address that is written as IPv6 is the IPv4 address."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def is_within(text: str, network: Network) -> bool:
    """Whether the address ``text`` is; what is no address is in none."""
    address = address_of(text)
    return address is not None and address in network


def network_of(text: str) -> Network:
    """One address is a network, too; ValueError."""
    return ip_network(text, strict=False)
