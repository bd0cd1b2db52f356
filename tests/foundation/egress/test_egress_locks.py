"""What each layer refuses and what it cannot see, by a leak in each language."""

import ctypes
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.foundation.egress.leaks import HOOK, LANGUAGES, leak, outsider

from reelm.foundation.config import (
    DatabaseSettings,
    RegionSettings,
    Settings,
    StorageSettings,
)
from reelm.foundation.egress.confined import Order, confined
from reelm.foundation.egress.filters import CLIENT_FAMILIES, LOCAL_FAMILIES
from reelm.foundation.egress.serving import serving_order

REGION = RegionSettings(number=1, name="T", jurisdiction="neutral", operator="T")
LOCAL = serving_order(Settings(region=REGION))


def landlock_version() -> int:
    return int(ctypes.CDLL(None).syscall(444, None, 0, 1))


needs_landlock_net = pytest.mark.skipif(
    landlock_version() < 4, reason="Landlock refuses TCP from Linux 6.7 on"
)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with outsider() as port:
        yield port


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_leak_works_where_nothing_holds_it(language: str, port: int) -> None:
    assert "LEAKED" in leak(LANGUAGES[language], port, None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_filter_refuses_a_leak_in_any_language(language: str, port: int) -> None:
    said = leak(LANGUAGES[language], port, LOCAL)
    assert "LEAKED" not in said
    words = ("permitted", "Permission", "connection is bad")  # the last is what libpq says
    assert any(word in said for word in words), said


def test_the_hook_names_a_mistake_in_python(port: int) -> None:
    said = leak(HOOK + LANGUAGES["python"], port, None)
    assert "LEAKED" not in said
    assert f"connect 127.0.0.1:{port} was refused: no setting of this region names it" in said


@pytest.mark.parametrize("language", sorted(LANGUAGES.keys() - {"python"}))
def test_the_hook_does_not_see_other_languages(language: str, port: int) -> None:
    """Written down in docs/egress.md; should it see one some day, the page is wrong."""
    assert "LEAKED" in leak(HOOK + LANGUAGES[language], port, None)


def test_the_hook_refuses_names_and_datagrams_and_lets_local_sockets_be() -> None:
    code = """
import os, socket, tempfile
for act in (
    lambda: socket.getaddrinfo("leak.example", 80),
    lambda: socket.gethostbyname("leak.example"),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)),
):
    try:
        act()
    except PermissionError as error:
        print("refused:", error)
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "s")
    server = socket.socket(socket.AF_UNIX); server.bind(path); server.listen()
    socket.socket(socket.AF_UNIX).connect(path)
    print("local is open")
"""
    said = leak(HOOK + code, 0, None)
    assert said.count("\nrefused:") == 3, said
    assert "leak.example" not in said, "a name may be what somebody wants to bring out"
    assert "local is open" in said


def test_the_hook_lets_named_hosts_be(port: int) -> None:
    hook = HOOK.replace("()", f"[Peer('database.url', '127.0.0.1', {port})]", 1)
    hook = "from reelm.foundation.egress.named import Peer\n" + hook
    assert "LEAKED" in leak(hook + LANGUAGES["python"], port, None)


FAMILIES = ["AF_INET", "AF_INET6", "AF_PACKET", "AF_NETLINK", "AF_VSOCK", "AF_ALG", "AF_CAN"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW"])
def test_no_socket_but_a_local_one_can_be_made(family: str, kind: str) -> None:
    said = leak(f"import socket; socket.socket(socket.{family}, socket.{kind})", 0, LOCAL)
    assert "PermissionError" in said


# Each prints LEAKED if it comes to hold what it must not.
ATTACKS = {
    "the upper half of the family is rubbish": """
libc.syscall.restype = ctypes.c_long
print("LEAKED" if libc.syscall(numbers["socket"], ctypes.c_ulong(2 | 1 << 40), 1, 0) >= 0 else "no")
""",
    "the numbers of the x32 processor": """
print("LEAKED" if libc.syscall(ctypes.c_long(0x40000000 | numbers["socket"]), 2, 1, 0) >= 0
    or ctypes.get_errno() != 1 else "no")
""",
    "io_uring": """
print("LEAKED" if libc.syscall(425, 8, ctypes.create_string_buffer(200)) >= 0 else "no")
""",
    "a pair of sockets of another family": """
pair = (ctypes.c_int * 2)()
print("LEAKED" if libc.socketpair(30, 1, 0, pair) == 0 else "no")
""",
    "a child that was forked": """
import os, socket, sys
if os.fork() == 0:
    try:
        socket.socket(socket.AF_INET); print("LEAKED")
    except PermissionError:
        print("no")
    sys.exit()
os.wait()
""",
    "a program that was executed": """
import subprocess, sys
print(subprocess.run([sys.executable, "-c", "import socket; socket.socket(); print('LEAKED')"],
    capture_output=True, text=True).stdout or "no")
""",
    "a thread that began before": """
import socket, threading
def later():
    try:
        socket.socket(); print("LEAKED")
    except PermissionError:
        print("no")
thread = threading.Thread(target=later); thread.start(); thread.join()
""",
    "reading the memory of the parent": """
import os
try:
    open(f"/proc/{os.getppid()}/mem", "rb"); print("LEAKED")
except PermissionError:
    print("no")
""",
    "attaching to the parent": """
print("LEAKED" if libc.ptrace(16, os.getppid(), 0, 0) == 0 else "no")
""",
    "ending the parent": """
try:
    os.kill(os.getppid(), 0); print("LEAKED")
except PermissionError:
    print("no")
""",
    "another network namespace": """
print("LEAKED" if libc.unshare(0x40000000) == 0 or libc.unshare(0x50000000) == 0 else "no")
""",
    "a child in another user namespace": """
child = libc.syscall(numbers["clone"], 0x10000000 | 17, 0, 0, 0, 0)
if child == 0:
    os._exit(0)
print("LEAKED" if child > 0 else "no")
""",
    "a child in another user namespace by the newer call": """
told = (ctypes.c_uint64 * 8)(0x10000000, 0, 0, 0, 17, 0, 0, 0)
child = libc.syscall(435, told, 64)
if child == 0:
    os._exit(0)
print("LEAKED" if child > 0 else "no")
""",
    "a file system mounted step by step": """
made = libc.syscall(430, b"tmpfs", 0)
print("LEAKED" if made >= 0 else "no")
""",
    "a network device made of a file": """
import fcntl, struct
try:
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"leak0", 0x1001)); print("LEAKED")
except OSError as error:
    print("no", error)
""",
}
PREAMBLE = """
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
is_amd = platform.machine() == "x86_64"
numbers = {"socket": 41 if is_amd else 198, "clone": 56 if is_amd else 220}
"""
# What needs Landlock; on kernels without it docs/egress.md says what remains.
BY_LANDLOCK = {
    "reading the memory of the parent": 1,
    "ending the parent": 6,
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_gets_nothing(attack: str) -> None:
    if landlock_version() < BY_LANDLOCK.get(attack, 0):
        pytest.skip("this kernel's Landlock does not hold it")
    said = leak(PREAMBLE + ATTACKS[attack], 0, LOCAL)
    assert "LEAKED" not in said
    assert "no" in said, said


def works_freely(attack: str) -> bool:
    root_only = {
        *("a network device made of a file", "another network namespace"),
        *(attack for attack in ATTACKS if "user namespace" in attack or "step by step" in attack),
    }
    other_machine = {"the numbers of the x32 processor", "a pair of sockets of another family"}
    return attack not in root_only | other_machine | {"attaching to the parent"}


@pytest.mark.parametrize("attack", [a for a in ATTACKS if works_freely(a)])
def test_each_attack_works_where_nothing_holds_it(attack: str) -> None:
    assert "LEAKED" in leak(PREAMBLE + ATTACKS[attack], 0, None)


# A web process holds accepted connections, whose sockets exist already.
TURN_ROUND = """
import ctypes, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
listener = socket.socket(fileno=int(sys.argv[1]) if len(sys.argv) > 1 else None)
listener.setblocking(True)
taken = listener if aim == "the listener itself" else listener.accept()[0]
if libc.connect(taken.fileno(), bytes(16), 16) != 0:
    raise OSError(ctypes.get_errno(), "to let go of the peer")
to = struct.pack("=H", 2) + struct.pack("!H", port) + socket.inet_aton(host) + bytes(8)
if aim == "a send that connects":
    sent = libc.sendto(taken.fileno(), b"x", 1, 0x20000000, to, len(to))
else:
    sent = libc.connect(taken.fileno(), to, len(to))
print("LEAKED" if sent >= 0 else OSError(ctypes.get_errno(), "refused"))
"""
AIMS = ["an accepted connection", "the listener itself", "a send that connects"]


def turned_round(aim: str, port: int, order: Order | None) -> str:
    code = f"host, port, aim = '127.0.0.1', {port}, {aim!r}\n{TURN_ROUND}"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        argv = [sys.executable, "-c", code, str(listener.fileno())]
        with socket.create_connection(listener.getsockname()):
            ran = subprocess.run(
                confined(argv, order) if order is not None else argv,
                capture_output=True,
                text=True,
                check=False,
                pass_fds=[listener.fileno()],
            )
    return ran.stdout + ran.stderr


@needs_landlock_net
@pytest.mark.parametrize("aim", AIMS)
def test_a_connection_cannot_be_turned_round(aim: str, port: int) -> None:
    said = turned_round(aim, port, LOCAL)
    assert "LEAKED" not in said
    assert "refused" in said, said


@pytest.mark.parametrize("aim", AIMS)
def test_a_connection_can_be_turned_round_where_nothing_holds_it(aim: str, port: int) -> None:
    said = turned_round(aim, port, None)
    if aim == "a send that connects" and "LEAKED" not in said:
        pytest.skip("this kernel has TCP Fast Open switched off")
    assert "LEAKED" in said


@needs_landlock_net
def test_the_filter_alone_does_not_see_where_a_socket_connects_to(port: int) -> None:
    """Why Landlock is asked for too; on older kernels this is what remains open."""
    assert "LEAKED" in turned_round(AIMS[0], port, Order(families=LOCAL_FAMILIES))


@needs_landlock_net
def test_with_a_remote_database_only_its_port_is_open(port: int) -> None:
    def order(named: int) -> Order:
        url = f"postgresql://o:p@127.0.0.1:{named}/x"
        return serving_order(Settings(region=REGION, database=DatabaseSettings(url=url)))

    assert order(port).families == CLIENT_FAMILIES
    assert "LEAKED" in leak(LANGUAGES["libpq"], port, order(port))
    said = leak(LANGUAGES["libpq"], port, order(port + 1))
    assert "Permission denied" in said


@needs_landlock_net
def test_with_a_remote_store_only_its_port_is_open(port: int) -> None:
    def order(named: int) -> Order:
        storage = StorageSettings(url="s3://b/p", s3_endpoint=f"http://127.0.0.1:{named}")
        return serving_order(Settings(region=REGION, storage=storage))

    assert "LEAKED" in leak(LANGUAGES["obstore"], port, order(port))
    assert "LEAKED" not in leak(LANGUAGES["obstore"], port, order(port + 1))


def test_a_process_of_another_processor_is_ended() -> None:
    if platform.machine() != "x86_64":
        pytest.skip("32-bit calls are an attack on x86_64")
    code = """
import ctypes, mmap
# mov eax, 20 (getpid of i386); int 0x80; ret
page = mmap.mmap(-1, 4096, prot=7)
page.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]))
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
print("LEAKED", call())
"""
    assert "LEAKED" not in leak(code, 0, LOCAL)
