"""Where versions live: an immutable folder each, and one file of names that moves atomically."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from model import artifact
from model.classifier import SpamClassifier
from model.errors import ModelUnavailable
from model.precision import Precision

SHIPPED = Path(__file__).parent / "shipped"
"""Holds the one version that comes with this release."""

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
#: Moves and former champions that the file of names remembers.
_REMEMBERED = 100
#: Age from which a folder that was being written when its process died is removed.
_LEFT_BEHIND_S = 3600.0


@dataclass(frozen=True, slots=True)
class Move:
    """One time that the name "champion" moved.

    Attributes
    ----------
    id : str
        Random name.
    what : str
        ``promote``, ``rollback``, or ``release`` for a version that came with one.
    version : str
        The champion from then on.
    replaced : str or None
        The champion until then.
    at, by, why : str
        When, who and for what reason, as told by whoever moved it.
    """

    id: str
    what: Literal["promote", "rollback", "release"]
    version: str
    replaced: str | None
    at: str = ""
    by: str = ""
    why: str = ""


class Registry:
    """The versions of one installation.

    Parameters
    ----------
    root : Path
        Folder of the versions; made when something is first written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.aliases_path = root / "aliases.json"

    def versions(self) -> list[str]:
        """Return the names of all versions, sorted."""
        if not self.root.is_dir():
            return []
        # A process that was killed just before it gave a version its name leaves all of it under another.
        return sorted(
            path.name
            for path in self.root.iterdir()
            if _VERSION.fullmatch(path.name) and (path / "manifest.json").is_file()
        )

    def champion(self) -> str:
        """Return the version that answers.

        Raises
        ------
        ModelUnavailable
            If none is named, or the file of names cannot be read.
        """
        version = self._aliases().get("champion")
        if not isinstance(version, str):
            raise ModelUnavailable(f"no champion is named in {self.aliases_path.name}")
        return version

    def load(self, version: str) -> SpamClassifier:
        """Read one version, after its checksums.

        Raises
        ------
        ModelUnavailable
            If it is not there.
        ArtifactRejected
            If it is not what its manifest says.
        """
        return artifact.load(self.root / self._checked(version))

    def precision(self, version: str) -> Precision | None:
        """Return what a version's corpora knew of each token; None if nobody summed them up.

        Raises
        ------
        ArtifactRejected
            If it is not what its manifest says.
        """
        return artifact.load_precision(self.root / self._checked(version))

    def add(self, classifier: SpamClassifier) -> None:
        """Store a new version; it does not answer yet.

        Raises
        ------
        FileExistsError
            If a version of that name is there.
        """
        artifact.save(classifier, self.root / self._checked(classifier.version))

    def promote(self, version: str, *, by: str = "", why: str = "", at: str = "") -> Move | None:
        """Let a version answer from now on.

        Parameters
        ----------
        version : str
        by, why, at : str, optional
            Who does so, for what reason, and when; kept with the move.

        Returns
        -------
        Move or None
            None if it is the champion already.

        Raises
        ------
        ModelUnavailable, ArtifactRejected
            If it is not there or cannot be read; the champion stays what it was.
        """
        self.load(version)
        with self._alone():
            return self._move(self._aliases_or_none(), "promote", version, by=by, why=why, at=at)

    def rollback(self, *, by: str = "", why: str = "", at: str = "") -> Move:
        """Let the version answer that answered before the present one.

        A second rollback goes one further back, never forward again: what was rolled back returns by
        ``promote`` alone.

        Raises
        ------
        ModelUnavailable
            If there was none before.
        ArtifactRejected
            If it cannot be read; the champion stays what it was.
        """
        with self._alone():
            aliases = self._aliases()
            former = self._former(aliases)
            if not former:
                raise ModelUnavailable("no version answered before this one; promote one by name")
            self.load(former[-1])
            move = self._move(aliases, "rollback", former[-1], by=by, why=why, at=at)
        if move is None:
            raise ModelUnavailable("the version before this one is this one; promote one by name")
        return move

    def shipped(self) -> str | None:
        """Return the version that came with the installed release; None if none was brought in."""
        version = self._aliases_or_none().get("shipped")
        return version if isinstance(version, str) else None

    def moves(self) -> list[Move]:
        """Return the latest moves, oldest first."""
        return [Move(**move) for move in self._aliases_or_none().get("moves", [])]

    def former(self) -> list[str]:
        """Return the champions that a rollback can bring back, oldest first."""
        return self._former(self._aliases_or_none())

    def was_rolled_back(self, version: str) -> bool:
        """Tell whether the last that happened to a version was that a rollback replaced it."""
        for move in reversed(self.moves()):
            if version in (move.version, move.replaced):
                return move.what == "rollback" and move.replaced == version
        return False

    def prune(self, keep: int, *, also: Collection[str] = ()) -> list[str]:
        """Remove old versions and what was half-written; return the names of the versions removed.

        The champion, the shipped version and the ``keep`` newest others stay.

        Parameters
        ----------
        keep : int
        also : collection of str
            Versions that go however new they are.
        """
        with self._alone():
            aliases = self._aliases_or_none()
            spared = {aliases.get("champion"), aliases.get("shipped")}
            others = sorted(
                (name for name in self.versions() if name not in spared),
                key=lambda name: (self.root / name / "manifest.json").stat().st_mtime,
                reverse=True,
            )
            removed = [name for name in others if name in also]
            removed += [name for name in others if name not in also][keep:]
            if removed:
                former = [name for name in self._former(aliases) if name not in removed]
                self._write({**aliases, "former": former, "previous": former[-1] if former else None})
            for name in removed:
                shutil.rmtree(self.root / name, ignore_errors=True)
            for path in self.root.glob(".*-*"):
                if time.time() - path.stat().st_mtime > _LEFT_BEHIND_S:
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        return removed

    def seed(self, shipped: Path = SHIPPED) -> str:
        """Bring in the version that comes with this release, and let it answer unless a person chose another.

        Returns
        -------
        str
            The shipped version.

        Raises
        ------
        ModelUnavailable
            If the release comes without a version.
        ArtifactRejected
            If the shipped folder is damaged.
        """
        folders = (
            sorted(path for path in shipped.iterdir() if (path / "manifest.json").is_file())
            if shipped.is_dir()
            else []
        )
        if not folders:
            raise ModelUnavailable("this release comes without a model: reinstall it, or run `make train`")
        folder = folders[-1]
        target = self.root / folder.name
        if not target.is_dir():
            artifact.load(folder)
            self.root.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix=".seed-", dir=self.root))
            shutil.copytree(folder, temporary / folder.name)
            try:
                (temporary / folder.name).rename(target)
            except OSError:
                if not target.is_dir():  # another process that started at the same moment may have been first
                    raise
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        with self._alone():
            aliases = self._aliases_or_none()
            if aliases.get("shipped") == folder.name:
                return folder.name
            # An upgrade replaces the last release's version, never one that was promoted here.
            is_ours = aliases.get("champion") in {None, aliases.get("shipped")}
            aliases["shipped"] = folder.name
            if not is_ours or self._move(aliases, "release", folder.name) is None:
                self._write(aliases)
        return folder.name

    def _move(
        self,
        aliases: dict[str, Any],
        what: Literal["promote", "rollback", "release"],
        version: str,
        *,
        by: str = "",
        why: str = "",
        at: str = "",
    ) -> Move | None:
        """Move the champion's name and remember that; to be called with the lock."""
        replaced = aliases.get("champion")
        former = self._former(aliases)
        if what == "rollback":
            former.pop()
        elif replaced is not None:
            former.append(replaced)
        if replaced == version:
            return None
        move = Move(secrets.token_hex(8), what, version, replaced, at=at, by=by, why=why)
        self._write(
            {
                **aliases,
                "champion": version,
                "previous": former[-1] if former else None,
                "former": former[-_REMEMBERED:],
                "moves": [*aliases.get("moves", []), asdict(move)][-_REMEMBERED:],
            }
        )
        return move

    @staticmethod
    def _former(aliases: dict[str, Any]) -> list[str]:
        # Releases before this list existed kept the last one only.
        known = aliases.get("former", [aliases.get("previous")])
        return [name for name in known if isinstance(name, str)]

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Let one process at a time change the names; the kernel takes the lock from one that dies."""
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _checked(self, version: str) -> str:
        if not _VERSION.fullmatch(version):
            raise ModelUnavailable("a version's name has letters, digits, dots, hyphens and underscores only")
        return version

    def _aliases(self) -> dict[str, Any]:
        try:
            data = json.loads(self.aliases_path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ModelUnavailable(
                f"{self.aliases_path.name} is not there: no version was ever promoted"
            ) from error
        except (OSError, ValueError) as error:
            raise ModelUnavailable(f"{self.aliases_path.name} cannot be read: {error}") from error
        if not isinstance(data, dict):
            raise ModelUnavailable(f"{self.aliases_path.name} is no JSON object")
        return data

    def _aliases_or_none(self) -> dict[str, Any]:
        return self._aliases() if self.aliases_path.exists() else {}

    def _write(self, aliases: dict[str, Any]) -> None:
        """Replace the names: a reader sees the old file or the new one."""
        self.root.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".aliases-", dir=self.root)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(aliases, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, self.aliases_path)
        artifact.sync(self.root)
