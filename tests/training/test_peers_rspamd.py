import shutil

import numpy as np
import pytest

from tests.toy import toy_corpus
from training import metrics
from training.peers import PeerUnavailableError
from training.peers_rspamd import Rspamd


def test_a_missing_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PeerUnavailableError, match="no program rspamd and redis-server: install"):
        Rspamd(toy_corpus()[:2])


@pytest.mark.skipif(
    shutil.which("rspamd") is None or shutil.which("redis-server") is None,
    reason="rspamd and redis-server are not installed",
)
def test_rspamd_learns_from_an_empty_start_each_time():
    rows = toy_corpus()
    peer = Rspamd(rows)
    fitted = np.array([place for place, row in enumerate(rows) if row.source != "site-1"])
    judged = np.array([place for place, row in enumerate(rows) if row.source == "site-1"])
    scores = peer.scores(fitted, np.ones(fitted.size), judged)["rspamd"]
    assert scores.shape == judged.shape
    assert metrics.auc(np.array([rows[place].is_spam for place in judged]), scores) > 0.9
    # What it learnt before is gone: with the labels' sides swapped by choice of rows it knows nothing of spam.
    ham = np.array([place for place in fitted.tolist() if not rows[place].is_spam])
    again = peer.scores(ham, np.ones(ham.size), judged)["rspamd"]
    assert (again <= 0).all()
