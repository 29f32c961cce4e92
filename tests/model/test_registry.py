import json
import threading

import numpy as np
import pytest

from model import artifact
from model.errors import ArtifactRejected, ModelUnavailable
from model.registry import SHIPPED, Registry
from tests.toy import toy_classifier, toy_corpus


@pytest.fixture
def registry(tmp_path):
    registry = Registry(tmp_path / "models")
    registry.add(toy_classifier())
    registry.promote(toy_classifier().version)
    return registry


def test_a_version_comes_back_as_it_went(registry):
    loaded = registry.load(registry.champion())
    batch = [row.comment for row in toy_corpus()[:20]]
    assert loaded.score(batch).tolist() == toy_classifier().score(batch).tolist()
    assert loaded.policy == toy_classifier().policy
    assert loaded.cut_table == toy_classifier().cut_table
    assert loaded.cut_table is not None
    assert loaded.card == toy_classifier().card
    assert registry.versions() == [toy_classifier().version]


def test_weights_stay_on_disk(registry):
    assert isinstance(registry.load(registry.champion()).weights, np.memmap)


def test_a_version_never_changes(registry):
    with pytest.raises(FileExistsError):
        registry.add(toy_classifier())


@pytest.mark.parametrize("name", ["weights.joblib", "model.json", "card.json"])
@pytest.mark.parametrize("damage", ["truncate", "flip", "remove"])
def test_a_damaged_file_is_refused_by_name(registry, name, damage):
    path = registry.root / registry.champion() / name
    data = bytearray(path.read_bytes())
    if damage == "remove":
        path.unlink()
    else:
        data[-5] ^= 1
        path.write_bytes(data[:-9] if damage == "truncate" else data)
    with pytest.raises(ArtifactRejected, match=name):
        registry.load(registry.champion())


def test_a_file_that_runs_code_is_not_loaded_before_its_checksum(registry, tmp_path):
    proof = tmp_path / "ran"
    folder = registry.root / registry.champion()
    (folder / "weights.joblib").write_bytes(b"cposix\nsystem\n(S'touch " + str(proof).encode() + b"'\ntR.")
    with pytest.raises(ArtifactRejected):
        registry.load(registry.champion())
    assert not proof.exists()


def test_another_format_is_refused_by_name(registry):
    manifest = registry.root / registry.champion() / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 99}))
    with pytest.raises(ArtifactRejected, match="format 99"):
        registry.load(registry.champion())


def test_nothing_answers_before_something_was_promoted(tmp_path):
    with pytest.raises(ModelUnavailable, match="no version was ever promoted"):
        Registry(tmp_path).champion()


def test_a_version_that_is_not_there_cannot_be_promoted(registry):
    before = registry.champion()
    with pytest.raises(ModelUnavailable):
        registry.promote("0.0.0-missing")
    assert registry.champion() == before


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden"])
def test_a_name_cannot_leave_the_folder(registry, name):
    with pytest.raises(ModelUnavailable, match="name"):
        registry.load(name)


def test_the_shipped_version_answers_first(tmp_path):
    registry = Registry(tmp_path / "models")
    shipped = registry.seed(SHIPPED)
    assert registry.champion() == shipped
    assert registry.load(shipped).version == shipped


def test_seeding_keeps_what_a_person_promoted(registry):
    chosen = registry.champion()
    registry.seed(SHIPPED)
    assert registry.champion() == chosen


def test_an_upgrade_replaces_the_last_release(tmp_path):
    registry = Registry(tmp_path / "models")
    older = tmp_path / "older"
    artifact.save(toy_classifier(), older / toy_classifier().version)
    registry.seed(older)
    assert registry.seed(SHIPPED) == registry.champion() != toy_classifier().version


def test_starting_twice_at_once_seeds_once(tmp_path):
    registry = Registry(tmp_path / "models")
    failures = []

    def seed():
        try:
            registry.seed(SHIPPED)
        except Exception as error:  # collected for the assertion below
            failures.append(error)

    threads = [threading.Thread(target=seed) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(registry.versions()) == 1
    assert sorted(path.name for path in registry.root.iterdir()) == [*registry.versions(), "aliases.json"]
