"""Where versions live: an immutable folder each, and one file of names that moves atomically."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from model import artifact
from model.classifier import SpamClassifier
from model.errors import ModelUnavailable

SHIPPED = Path(__file__).parent / "shipped"
"""Holds the one version that comes with this release."""

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


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
        return sorted(path.name for path in self.root.iterdir() if (path / "manifest.json").is_file())

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

    def add(self, classifier: SpamClassifier) -> None:
        """Store a new version; it does not answer yet.

        Raises
        ------
        FileExistsError
            If a version of that name is there.
        """
        artifact.save(classifier, self.root / self._checked(classifier.version))

    def promote(self, version: str) -> None:
        """Let a version answer from now on.

        Raises
        ------
        ModelUnavailable, ArtifactRejected
            If it is not there or cannot be read; the champion stays what it was.
        """
        self.load(version)
        aliases = self._aliases_or_none()
        previous = aliases.get("champion")
        if previous != version:
            self._write({**aliases, "champion": version, "previous": previous})

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
        aliases = self._aliases_or_none()
        # An upgrade replaces the last release's version, never one that was promoted here.
        if (
            aliases.get("champion") in {None, aliases.get("shipped")}
            and aliases.get("champion") != folder.name
        ):
            self._write(
                {
                    **aliases,
                    "champion": folder.name,
                    "previous": aliases.get("champion"),
                    "shipped": folder.name,
                }
            )
        elif aliases.get("shipped") != folder.name:
            self._write({**aliases, "shipped": folder.name})
        return folder.name

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
