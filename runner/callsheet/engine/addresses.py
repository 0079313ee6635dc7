"""Which addresses a file may be downloaded from: public ones only, unless the engine says otherwise.

A URL comes from a job file, a data file or a provider's reply. Without this check one could make the machine that runs
callsheet read its own network, such as a cloud's metadata service, into a file that is then uploaded.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from ..errors import Rejected

_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address


@dataclass(frozen=True, slots=True)
class Policy:
    """``private`` allows addresses that are not public, and http with them; ``http`` allows http to public ones."""

    http: bool = False
    private: bool = False

    def check_url(self, url: str) -> SplitResult:
        """Refuse the URL with `Rejected`, or give its parts. Resolves the name, so call it in a thread."""
        parts = split(url)
        if parts.scheme == "http" and not (self.http or self.private):
            raise Rejected(f"{label(url)} is not https", hint="use an https URL")
        if not self.private:
            for address in _resolved(parts.hostname or ""):
                self.check_peer(address)
        return parts

    def check_peer(self, address: str) -> None:
        """Refuse a connection to an address that is not public.

        Names are resolved again when the connection is made, and the answer may differ: this decides.
        """
        if not self.private and not is_public(address):
            raise Rejected("the URL leads to a private or local address", hint="only public addresses are allowed")


def split(url: str) -> SplitResult:
    """The parts of an http(s) URL; `Rejected` for anything else."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fine = False
    if not fine or any(char <= " " or char in "\\\x7f" for char in url):
        raise Rejected("not a valid http(s) URL")
    return parts


def label(url: str) -> str:
    """The URL for messages: without user, query and fragment, which may all be credentials."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def is_public(address: str) -> bool:
    """Whether the whole internet can have this address; IPv4 inside IPv6 counts as what it is inside."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1]
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return ip.is_global and not ip.is_multicast


def _resolved(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []  # behind a proxy names may not resolve here; otherwise connecting fails with its own message
    return [str(entry[4][0]) for entry in found]
