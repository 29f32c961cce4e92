import hashlib
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from model import __version__
from service import fetching
from service.fetching import N_ATTEMPTS, FetchError, fetch
from tests.service.file_server import ServedFile, serving

CONTENT = random.Random(1).randbytes(300_000)
OTHER = random.Random(2).randbytes(300_000)
SUM = hashlib.sha256(CONTENT).hexdigest()


class Bringing:
    """A fetch with everything noted that it does."""

    def __init__(self, folder: Path) -> None:
        self.target = folder / "file.zip"
        self.pauses: list[float] = []
        self.told: list[tuple[int, int | None]] = []

    def __call__(self, url: str, *, sha256: str = SUM, max_bytes: int = 1_000_000) -> str:
        return fetch(
            url,
            self.target,
            sha256=sha256,
            max_bytes=max_bytes,
            progress=lambda n_bytes, n_total: self.told.append((n_bytes, n_total)),
            sleep=self.pauses.append,
        )


@pytest.fixture
def bring(tmp_path: Path) -> Bringing:
    return Bringing(tmp_path)


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_comes_whole_and_politely(bring: Bringing, tmp_path: Path) -> None:
    file = ServedFile(CONTENT)
    with serving({"/a": file}) as server:
        assert bring(f"{server}/a") == SUM
        assert bring(f"{server}/a") == SUM
    assert bring.target.read_bytes() == CONTENT
    assert left_in(tmp_path) == {"file.zip"}
    assert len(file.seen) == 1, "what is there already is not asked for again"
    assert file.seen[0]["User-Agent"] == f"replyguard/{__version__} (corpora fetch)"
    assert bring.told[-1] == (300_000, 300_000)


def test_what_broke_off_goes_on_where_it_stopped(bring: Bringing) -> None:
    file = ServedFile(CONTENT, break_after=[100_000, 50_000])
    with serving({"/a": file}) as server:
        bring(f"{server}/a")
    assert bring.target.read_bytes() == CONTENT
    offsets = [int(seen.get("Range", "bytes=0-")[6:-1]) for seen in file.seen]
    assert offsets[0] == 0
    assert 90_000 < offsets[1] <= 100_000
    assert 130_000 < offsets[2] <= 150_000
    assert bring.pauses == [1.0, 2.0]


def test_another_run_goes_on_with_what_the_last_one_left(bring: Bringing) -> None:
    broken = ServedFile(CONTENT, break_after=[60_000] + [0] * N_ATTEMPTS)
    with serving({"/a": broken}) as server:
        with pytest.raises(FetchError, match=r"put the file at .* yourself"):
            bring(f"{server}/a")
        broken.break_after.clear()
        bring(f"{server}/a")
    assert bring.target.read_bytes() == CONTENT
    assert 50_000 < int(broken.seen[-1]["Range"][6:-1]) <= 60_000


@pytest.mark.parametrize("manners", [{"ranges": False}, {"tag": False, "ranges": False}, {"tag": False}])
def test_a_server_without_ranges_or_tags_starts_over_or_goes_on(
    bring: Bringing, manners: dict[str, bool]
) -> None:
    with serving({"/a": ServedFile(CONTENT, break_after=[100_000], **manners)}) as server:
        bring(f"{server}/a")
    assert bring.target.read_bytes() == CONTENT


@pytest.mark.parametrize("tag", [True, False])
def test_halves_of_two_versions_are_never_joined(bring: Bringing, tag: bool) -> None:
    file = ServedFile(OTHER, becomes=CONTENT, break_after=[100_000], tag=tag)
    with serving({"/a": file}) as server:
        bring(f"{server}/a")
    assert bring.target.read_bytes() == CONTENT


def test_without_tag_and_checksum_nothing_is_resumed(bring: Bringing) -> None:
    file = ServedFile(OTHER, becomes=CONTENT, break_after=[100_000], tag=False)
    with serving({"/a": file}) as server:
        assert bring(f"{server}/a", sha256="") == SUM
    assert "Range" not in file.seen[1]


def test_a_part_of_another_place_than_asked_for_is_not_used(bring: Bringing) -> None:
    with serving({"/a": ServedFile(CONTENT, break_after=[100_000], shift=7)}) as server:
        bring(f"{server}/a")
    assert bring.target.read_bytes() == CONTENT


def test_the_wrong_bytes_are_dropped(bring: Bringing, tmp_path: Path) -> None:
    file = ServedFile(OTHER)
    with serving({"/a": file}) as server, pytest.raises(FetchError, match=f"must be {SUM}"):
        bring(f"{server}/a")
    assert left_in(tmp_path) == set()
    assert len(file.seen) == 1


def test_a_damaged_file_is_brought_again(bring: Bringing) -> None:
    bring.target.write_bytes(OTHER)
    with serving({"/a": ServedFile(CONTENT)}) as server:
        bring(f"{server}/a")
    assert bring.target.read_bytes() == CONTENT


@pytest.mark.parametrize("length", [True, False])
def test_too_large_a_file_is_refused(bring: Bringing, length: bool) -> None:
    with (
        serving({"/a": ServedFile(CONTENT, length=length)}) as server,
        pytest.raises(FetchError, match="200,000"),
    ):
        bring(f"{server}/a", max_bytes=200_000)
    assert not bring.target.exists()


def test_errors_that_may_pass_are_tried_again(bring: Bringing) -> None:
    with serving({"/a": ServedFile(CONTENT, statuses=[503, 429, 500])}) as server:
        bring(f"{server}/a")
    assert bring.pauses == [1.0, 2.0, 4.0]


def test_a_server_is_given_the_time_it_asks_for_within_bounds(bring: Bringing) -> None:
    with serving({"/a": ServedFile(CONTENT, statuses=[503], retry_after="7")}) as server:
        bring(f"{server}/a")
    bring.target.unlink()
    with serving({"/a": ServedFile(CONTENT, statuses=[503], retry_after="86400")}) as server:
        bring(f"{server}/a")
    assert bring.pauses == [7.0, fetching.MAX_PAUSE_S]


def test_a_missing_file_is_not_asked_for_twice(bring: Bringing) -> None:
    with serving({}) as server, pytest.raises(FetchError, match="404 Not Found: the file has moved"):
        bring(f"{server}/a")
    assert bring.pauses == []


def test_no_network_is_told_with_a_way_out(bring: Bringing) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(
            FetchError, match=r"127\.0\.0\.1 does not answer.*put the file at .*file\.zip yourself"
        ):
            bring(f"http://127.0.0.1:{port}/a")
    assert len(bring.pauses) == N_ATTEMPTS - 1


@pytest.mark.parametrize(
    "location", ["http://example.org/a", "http://127.0.0.1:9/a", "ftp://example.org/a", "file:///etc/passwd"]
)
def test_only_https_is_followed(bring: Bringing, location: str) -> None:
    with (
        serving({"/a": ServedFile(location=location)}) as server,
        pytest.raises(FetchError, match="only https"),
    ):
        bring(f"{server}/a")


def test_redirects_are_followed_but_not_for_ever(bring: Bringing) -> None:
    with serving({"/a": ServedFile(location="/b"), "/b": ServedFile(CONTENT)}) as server:
        bring(f"{server}/a")
    bring.target.unlink()
    with serving({"/a": ServedFile(location="/a")}) as server, pytest.raises(FetchError, match="redirects"):
        bring(f"{server}/a")


@pytest.mark.parametrize("url", ["http://example.org/a", "ftp://127.0.0.1/a", "https:///a", "a.zip"])
def test_only_https_is_asked(bring: Bringing, url: str) -> None:
    with pytest.raises(FetchError, match="only https"):
        bring(url)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with serving({"/a": ServedFile(CONTENT)}) as server, pytest.raises(FetchError, match="check the folder"):
        fetch(f"{server}/a", tmp_path / "none" / "file.zip", sha256=SUM, max_bytes=1_000_000)


def test_a_full_disk_is_told_and_what_came_is_kept(tmp_path: Path) -> None:
    # No file of this process may grow beyond 100,000 bytes, which fails as a full disk does: in the write.
    program = (
        "import pathlib, resource, signal, sys\n"
        "from service.fetching import FetchError, fetch\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    fetch(sys.argv[1], pathlib.Path(sys.argv[2]), max_bytes=1_000_000)\n"
        "except FetchError as error:\n"
        "    print(error)\n"
    )
    with serving({"/a": ServedFile(CONTENT)}) as server:
        done = subprocess.run(
            [sys.executable, "-c", program, f"{server}/a", str(tmp_path / "file.zip")],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert "free some space" in done.stdout
    assert (tmp_path / "file.zip.part").stat().st_size > 90_000
    assert not (tmp_path / "file.zip").exists()
