"""One version, one folder: weights as a plain array by joblib, a card, and a manifest with checksums.

A joblib file can run code when it is loaded. So nothing is loaded before every file's size and SHA-256 agree
with the manifest; the checksum catches truncation and mix-ups, and the folder's permissions are what keeps
strangers out. joblib itself is imported where a version is read or written, for a command's start.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from model.budget import CutTable
from model.card import ModelCard
from model.classifier import SpamClassifier
from model.errors import ArtifactRejected, ModelUnavailable
from model.features import FeatureParams
from model.precision import Precision, from_bytes, to_bytes
from model.verdict import Policy

FORMAT = 1
_WEIGHTS = "weights.joblib"
_MODEL = "model.json"
_CARD = "card.json"
_PAGE = "CARD.md"
_MANIFEST = "manifest.json"
_PRECISION = "precision.joblib"


def save(classifier: SpamClassifier, folder: Path, *, precision: Precision | None = None) -> None:
    """Write a version to a new folder; a reader sees all of it or nothing.

    Parameters
    ----------
    classifier : SpamClassifier
    folder : Path
    precision : Precision, optional
        What its corpora knew of each token, for a later fit that starts from this version.

    Raises
    ------
    FileExistsError
        If the folder is there already: a version never changes.
    """
    import joblib

    if folder.exists():
        raise FileExistsError(f"version {classifier.version} is there already")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        weights = np.ascontiguousarray(classifier.weights, dtype=np.float32)
        joblib.dump(weights, temporary / _WEIGHTS, compress=0)
        if precision is not None:
            kept = {"per_token": to_bytes(precision.per_token), "of_bias": precision.of_bias}
            joblib.dump(kept, temporary / _PRECISION, compress=9)
        policy, table = classifier.policy, classifier.cut_table
        _write_json(
            temporary / _MODEL,
            {
                "version": classifier.version,
                "bias": classifier.bias,
                "features": asdict(classifier.params),
                "policy": {
                    name: None if value == float("inf") else value for name, value in asdict(policy).items()
                },
                "cut_table": None if table is None else table.as_dict(),
            },
        )
        _write_json(temporary / _CARD, classifier.card.as_dict())
        (temporary / _PAGE).write_text(classifier.card.to_markdown(), encoding="utf-8")
        files = {
            path.name: {"size": path.stat().st_size, "sha256": _sha256(path)}
            for path in sorted(temporary.iterdir())
        }
        _write_json(temporary / _MANIFEST, {"format": FORMAT, "version": classifier.version, "files": files})
        for path in temporary.iterdir():
            sync(path)
        temporary.chmod(0o755)
        temporary.rename(folder)
        sync(folder.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def load(folder: Path) -> SpamClassifier:
    """Read a version; its weights stay on disk, memory-mapped and shared between processes.

    Raises
    ------
    ModelUnavailable
        If there is no such folder.
    ArtifactRejected
        If a file is missing, altered, of another format or of the wrong shape; the message says which.
    """
    if not folder.is_dir():
        raise ModelUnavailable(f"version {folder.name} is not in the registry")
    import joblib

    manifest = _read_json(folder / _MANIFEST)
    if manifest.get("format") != FORMAT:
        raise ArtifactRejected(
            f"version {folder.name} has format {manifest.get('format')!r}; this release reads format {FORMAT}"
        )
    files = manifest.get("files")
    if not isinstance(files, dict) or not {_WEIGHTS, _MODEL, _CARD} <= set(files):
        raise ArtifactRejected(f"version {folder.name}: {_MANIFEST} does not list the files of a version")
    for name in (_WEIGHTS, _MODEL, _CARD):
        _verify(folder / name, files[name])
    described = _read_json(folder / _MODEL)
    try:
        features = described["features"]
        params = FeatureParams(**{**features, "grams": tuple(features["grams"])})
        cuts = {
            name: float("inf") if value is None else float(value)
            for name, value in described["policy"].items()
        }
        table = described.get("cut_table")
        weights = joblib.load(folder / _WEIGHTS, mmap_mode="r")
        if not isinstance(weights, np.ndarray) or weights.dtype != np.float32:
            raise ValueError(f"{_WEIGHTS} holds no float32 array")
        return SpamClassifier(
            version=str(described["version"]),
            params=params,
            weights=weights,
            bias=float(described["bias"]),
            policy=Policy(**cuts),
            card=ModelCard.from_dict(_read_json(folder / _CARD)),
            cut_table=None if table is None else CutTable.from_dict(table),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactRejected(f"version {folder.name} cannot be read: {error}") from error


def load_precision(folder: Path) -> Precision | None:
    """Read what a version's corpora knew of each token.

    Returns
    -------
    Precision or None
        None if the version was saved without: it is an optional part.

    Raises
    ------
    ArtifactRejected
        If it is damaged.
    """
    import joblib

    files = _read_json(folder / _MANIFEST).get("files")
    if not isinstance(files, dict) or _PRECISION not in files:
        return None
    _verify(folder / _PRECISION, files[_PRECISION])
    try:
        kept = joblib.load(folder / _PRECISION)
        return Precision(from_bytes(kept["per_token"]), float(kept["of_bias"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactRejected(f"{_PRECISION} of version {folder.name} cannot be read: {error}") from error


def _verify(path: Path, expected: Any) -> None:
    try:
        size = path.stat().st_size
        if size != expected["size"]:
            raise ArtifactRejected(f"{path.name} has {size} bytes, its manifest says {expected['size']}")
        if _sha256(path) != expected["sha256"]:
            raise ArtifactRejected(f"{path.name} does not match its checksum")
    except OSError as error:
        raise ArtifactRejected(f"{path.name} cannot be read: {error.strerror}") from error
    except (KeyError, TypeError) as error:
        raise ArtifactRejected(f"the manifest's entry for {path.name} is damaged") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ArtifactRejected(f"{path.name} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ArtifactRejected(f"{path.name} is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise ArtifactRejected(f"{path.name} is no JSON object")
    return data


def _write_json(path: Path, data: dict[str, Any]) -> None:
    path.write_text(json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n", encoding="utf-8")


def sync(path: Path) -> None:
    """Make sure that what was written to a file or a folder survives a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
