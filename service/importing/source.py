"""Where an export comes from: a file or an address, plain or gzip, read again from the start as often as needed."""

from __future__ import annotations

import contextlib
import gzip
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

import requests

from service.importing.exported import ExportMalformed, ImportRefused

_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK_BYTES = 256 * 1024
#: Seconds to wait for a connection, and between two pieces of a download.
_TIMEOUT_S = (10.0, 60.0)

OnBytes = Callable[[int, int | None], None]


class Source:
    """An export in a file.

    Parameters
    ----------
    file : binary file
        Seekable.
    name : str
        As the operator calls it.
    size : int
        In bytes, as it lies there.
    """

    def __init__(self, file: IO[bytes], name: str, size: int) -> None:
        self._file = file
        self.name = name
        self.size = size

    @contextlib.contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open it from its start, unpacked if it is gzip, whatever its name says.

        Raises
        ------
        ExportMalformed
            If it is gzip that breaks off or is damaged.
        ImportRefused
            If it cannot be read any more.
        """
        self._file.seek(0)
        packed = self._file.read(2) == _GZIP_MAGIC
        self._file.seek(0)
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=self._file)) if packed else self._file
        try:
            yield stream
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ExportMalformed(
                self.name,
                "the gzip file is damaged or cut off",
                mend="fetch or export it again",
            ) from error
        except OSError as error:
            raise ImportRefused(f"{self.name}: {error.strerror or error}") from error

    def tell(self) -> int:
        """Return how many bytes of it have been read, as it lies there."""
        return self._file.tell()


@contextlib.contextmanager
def open_source(file_or_url: str, on_bytes: OnBytes) -> Iterator[Source]:
    """Open an export; one behind an address is first fetched into a temporary file that has no name.

    Parameters
    ----------
    file_or_url : str
        A path, or an address that begins with http:// or https://.
    on_bytes : callable
        Told how many bytes have been fetched, and of how many if the server says so.

    Raises
    ------
    ImportRefused
        If it cannot be had.
    """
    if file_or_url.startswith(("http://", "https://")):
        with tempfile.TemporaryFile(buffering=_CHUNK_BYTES) as file:
            size = _fetch(file_or_url, file, on_bytes)
            yield Source(file, "the file behind the address", size)
        return
    path = Path(file_or_url)
    try:
        opened = path.open("rb", buffering=_CHUNK_BYTES)
    except OSError as error:
        raise ImportRefused(f"{path}: {error.strerror}; give a file, or an http(s) address") from error
    with opened:
        yield Source(opened, str(path), path.stat().st_size)


def _fetch(url: str, file: IO[bytes], on_bytes: OnBytes) -> int:
    """Write what an address answers into a file, piece by piece, and return its size."""
    n_bytes = 0
    try:
        with requests.get(url, stream=True, timeout=_TIMEOUT_S) as answer:
            if answer.status_code != requests.codes.ok:
                raise ImportRefused(
                    f"the address answers with status {answer.status_code}; see that it opens without a login,"
                    " or fetch the file yourself and give its path"
                )
            announced = answer.headers.get("Content-Length", "")
            encoded = "Content-Encoding" in answer.headers
            size = int(announced) if announced.isdigit() and not encoded else None
            for piece in answer.iter_content(_CHUNK_BYTES):
                file.write(piece)
                n_bytes += len(piece)
                on_bytes(n_bytes, size)
        file.flush()
    except requests.RequestException as error:
        # The message of such an error quotes the address, which may hold a password.
        raise ImportRefused(
            f"the address cannot be fetched ({type(error).__name__}); try again, or fetch the file yourself"
        ) from None
    except OSError as error:
        raise ImportRefused(
            f"the download cannot be kept: {error.strerror}; set TMPDIR to a folder with enough space"
        ) from error
    return n_bytes
