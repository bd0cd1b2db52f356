import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reelm.foundation.errors import Unavailable
from reelm.videos.sandbox import Bounds, Outcome, ffmpeg_path, opened, run

_PYTHON = (Path(sys.base_prefix), Path(sys.prefix))


def _python(code: str, work: Path, **limits: float) -> Outcome:
    bounds = Bounds(**limits) if limits else None  # type: ignore[arg-type]
    return run([sys.executable, "-I", "-S", "-c", code], work=work, read=_PYTHON, bounds=bounds)


def test_an_ordinary_child_works_and_writes_to_its_folder(work):
    outcome = _python("open('made.txt', 'w').write('x'); print('done')", work)
    assert outcome.ok
    assert outcome.output == b"done\n"
    assert (work / "made.txt").read_text() == "x"


@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"])
def test_no_socket_can_be_opened(work, family):
    code = f"import socket; socket.socket(socket.{family}, socket.SOCK_DGRAM)"
    assert "PermissionError" in _python(code, work).errors


def test_the_socket_test_itself_can_fail(work):
    """Outside the sandbox the very same code opens its socket."""
    code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
    assert subprocess.run([sys.executable, "-I", "-S", "-c", code], check=False).returncode == 0


def test_ffmpeg_itself_reaches_no_address(work):
    argv = [ffmpeg_path(), "-nostdin", "-i", "tcp://127.0.0.1:9", "-f", "null", "-"]
    assert "Operation not permitted" in run(argv, work=work).errors


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/1/environ", __file__])
def test_no_file_outside_its_folder_can_be_read(work, path):
    outcome = _python(f"print(open({path!r}, 'rb').read()[:9])", work)
    assert "Permission" in outcome.errors
    assert outcome.output == b""


def test_no_file_outside_its_folder_can_be_made(work, tmp_path):
    outcome = _python(f"open({str(tmp_path / 'leak')!r}, 'w')", work)
    assert "Permission" in outcome.errors
    assert not (tmp_path / "leak").exists()


def test_it_cannot_signal_its_parent(work):
    assert "Permission" in _python(f"import os; os.kill({os.getpid()}, 0)", work).errors


def test_the_environment_and_other_descriptors_stay_outside(work, tmp_path, monkeypatch):
    monkeypatch.setenv("REELM_SECRET", "hidden")
    secret = (tmp_path / "secret").open("w")
    outcome = _python("import os; print(sorted(os.environ))", work)
    assert outcome.output == b"['LC_ALL', 'MALLOC_ARENA_MAX']\n"
    gone = _python(f"import os; os.fstat({secret.fileno()})", work)
    secret.close()
    assert "Bad file descriptor" in gone.errors


def test_time_memory_and_file_size_are_bounded_and_named(work):
    began = time.monotonic()
    slept = _python("import time; time.sleep(60)", work, wall_s=0.5)
    assert slept.timed_out
    assert time.monotonic() - began < 5
    assert slept.overran == "it takes too long to process"
    spun = _python("while True: pass", work, cpu_s=2)
    assert spun.overran == "it takes too long to process"
    hungry = _python("bytearray(1 << 30)", work, memory_bytes=1 << 29)
    assert hungry.overran == "it needs too much memory to process"
    wide = _python("open('big', 'wb').write(bytes(1 << 22))", work, file_bytes=1 << 20)
    assert wide.overran == "it grows too large when processed"


def test_what_the_child_started_ends_with_it(work):
    code = (
        "import os, time\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    os.close(1); os.close(2); time.sleep(60)\n"
        "print(pid, flush=True); time.sleep(60)"
    )
    outcome = _python(code, work, wall_s=1.0)
    assert _has_ended(int(outcome.output))


def _has_ended(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_output_is_cut_at_its_bound(work):
    outcome = _python("print('x' * 100_000)", work, output_bytes=1000)
    assert len(outcome.output) == 1000


def test_an_upload_is_opened_without_following_links(tmp_path):
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(Exception, match="cannot be read"), opened(tmp_path / "link"):
        pass


def test_a_wrong_ffmpeg_setting_is_said():
    with pytest.raises(Unavailable, match="/nowhere/ffmpeg"):
        ffmpeg_path("/nowhere/ffmpeg")
