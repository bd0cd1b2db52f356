"""Reads every packet that wants to leave, says what it is and who sent it, and keeps it."""

import ipaddress
import os
import select
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import msgspec

# https://www.tcpdump.org/linktypes.html: packets that begin with their IPv4 or IPv6 header.
_LINKTYPE_RAW = 101
_PCAP_HEADER = struct.Struct("=IHHiIII")
_PCAP_PACKET = struct.Struct("=IIII")
_PROTOCOLS = {1: "ICMP", 2: "IGMP", 6: "TCP", 17: "UDP", 58: "ICMPv6"}
_WITH_PORTS = frozenset({"TCP", "UDP"})
LONGEST_BYTES = 65535


class Packet(msgspec.Struct, frozen=True):
    """One packet, and the process whose socket sent it as far as that could be found."""

    at_s: float
    protocol: str
    source: str
    target: str
    length: int
    process: str
    is_check: bool  # ours, sent to see that the witness sees

    @property
    def words(self) -> str:
        """The packet in one line."""
        who = f"  by {self.process}" if self.process else ""
        return f"{self.protocol}  {self.source} -> {self.target}  {self.length} bytes{who}"


class Witness:
    """One thread that reads the way out until it is stopped."""

    def __init__(self, way_out: int, pcap: Path | None, mark: bytes) -> None:
        self.packets: list[Packet] = []
        self._way_out, self._mark = way_out, mark
        self._file: BinaryIO | None = None
        if pcap is not None:
            self._file = pcap.open("wb")
            self._file.write(
                _PCAP_HEADER.pack(0xA1B2C3D4, 2, 4, 0, 0, LONGEST_BYTES, _LINKTYPE_RAW)
            )
        self._began = time.monotonic()
        threading.Thread(target=self._run, name="witness", daemon=True).start()

    @property
    def leaked(self) -> list[Packet]:
        """The packets that are not our own check."""
        return [packet for packet in self.packets if not packet.is_check]

    def wait_for_checks(self, count: int, timeout_s: float = 10.0) -> bool:
        """Wait until this many packets of the check were seen."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if sum(packet.is_check for packet in self.packets) >= count:
                return True
            time.sleep(0.01)
        return False

    def _run(self) -> None:
        while True:
            select.select([self._way_out], [], [])
            with suppress(BlockingIOError):
                self._take(os.read(self._way_out, LONGEST_BYTES))

    def _take(self, data: bytes) -> None:
        if self._file is not None:
            now = time.time_ns() // 1000
            size = len(data)
            head = _PCAP_PACKET.pack(now // 1_000_000, now % 1_000_000, size, size)
            self._file.write(head + data)
            self._file.flush()
        protocol, source, target, ports = _parse(data)
        self.packets.append(
            Packet(
                at_s=round(time.monotonic() - self._began, 3),
                protocol=protocol,
                source=_shown(source, ports[0]),
                target=_shown(target, ports[1]),
                length=len(data),
                process=_sender(protocol, ports[0]),
                is_check=self._mark in data,
            )
        )


def _parse(data: bytes) -> tuple[str, str, str, tuple[int, int]]:
    """Return protocol, addresses and ports of an IP packet."""
    version = data[0] >> 4 if data else 0
    if version == 4 and len(data) >= 20:
        number, source, target = data[9], data[12:16], data[16:20]
        body = data[(data[0] & 15) * 4 :]
    elif version == 6 and len(data) >= 40:
        number, source, target = data[6], data[8:24], data[24:40]
        body = data[40:]
    else:
        return "unknown", "?", "?", (0, 0)
    protocol = _PROTOCOLS.get(number, f"protocol {number}")
    has_ports = protocol in _WITH_PORTS and len(body) >= 4
    ports = struct.unpack_from("!HH", body) if has_ports else (0, 0)
    return protocol, str(ipaddress.ip_address(source)), str(ipaddress.ip_address(target)), ports


def _shown(address: str, port: int) -> str:
    if not port:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _sender(protocol: str, port: int) -> str:
    """Name the process that has a socket on this port of this network."""
    if protocol not in _WITH_PORTS:
        return ""
    inodes = set()
    for table in (protocol.lower(), f"{protocol.lower()}6"):
        with suppress(OSError):
            for line in Path(f"/proc/net/{table}").read_text("ascii").splitlines()[1:]:
                fields = line.split()
                if int(fields[1].rpartition(":")[2], 16) == port:
                    inodes.add(f"socket:[{fields[9]}]")
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                if any(str(fd.readlink()) in inodes for fd in (process / "fd").iterdir()):
                    return _named(process)
    return ""


def _named(process: Path) -> str:
    words = (process / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    for role in ("web", "worker"):
        if role in words and "-m" in words:
            return f"{role}, process {process.name}"
    return f"{os.path.basename(words[0])}, process {process.name}"  # noqa: PTH119 - a word
