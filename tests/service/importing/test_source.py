from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from service.importing.exported import Exported, ImportRefused
from service.importing.formats import FileFormat, FileHistory
from service.importing.source import open_source
from tests.service.importing.exports import SITE, wxr, wxr_comment

TEXT = wxr(*(wxr_comment(f"number {number}", number=number) for number in range(300))).encode()


class _Exports(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.strip("/")
        if path not in ("plain", "packed", "torn"):
            self.send_error(404)
            return
        body = gzip.compress(TEXT) if path == "packed" else TEXT
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:-5000] if path == "torn" else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Exports)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def ids(where: str, **options: bool) -> list[str]:
    with open_source(where, lambda done, total: None) as source:
        history = FileHistory(source, FileFormat.WORDPRESS_XML, site=SITE, **options)
        passes = [[row.id for row in history.rows() if isinstance(row, Exported)] for _ in range(2)]
        assert passes[0] == passes[1]
        return passes[0]


EVERYTHING = [str(number) for number in range(300)]


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_read_as_often_as_needed_whatever_its_name_says(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "export.dat"
    path.write_bytes(gzip.compress(TEXT) if packed else TEXT)
    assert ids(str(path)) == EVERYTHING


@pytest.mark.parametrize("path", ["plain", "packed"])
def test_an_address_is_fetched(address: str, path: str) -> None:
    told: list[tuple[int, int | None]] = []
    with open_source(f"{address}/{path}", lambda done, total: told.append((done, total))) as source:
        history = FileHistory(source, FileFormat.WORDPRESS_XML, site=SITE)
        assert [row.id for row in history.rows() if isinstance(row, Exported)] == EVERYTHING
    assert told[-1] == (source.size, source.size)


def test_what_cannot_be_had_is_told_without_quoting_the_address(address: str, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="status 404"):
        ids(f"{address}/missing")
    with pytest.raises(ImportRefused, match="cannot be fetched") as refused:
        ids(f"{address}/torn")
    assert "127.0.0.1" not in str(refused.value)
    with pytest.raises(ImportRefused, match="cannot be fetched") as refused:
        ids("http://user:hidden@127.0.0.1:1/")
    assert "hidden" not in str(refused.value)
    with pytest.raises(ImportRefused, match="No such file"):
        ids(str(tmp_path / "none.xml"))
    with pytest.raises(ImportRefused, match="directory"):
        ids(str(tmp_path))


def test_a_torn_gzip_file_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "export.xml.gz"
    path.write_bytes(gzip.compress(TEXT)[:-300])
    with pytest.raises(ImportRefused, match=r"export\.xml\.gz: the gzip file is damaged or cut off"):
        ids(str(path))


def test_a_damaged_file_can_be_taken_up_to_the_damage(tmp_path: Path) -> None:
    path = tmp_path / "export.xml"
    path.write_bytes(TEXT[: TEXT.index(b"number 123") + 4])
    with pytest.raises(ImportRefused, match=r"export\.xml, line \d+, column \d+: the XML is malformed"):
        ids(str(path))
    assert ids(str(path), up_to_error=True) == EVERYTHING[:123]
