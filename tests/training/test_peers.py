import dataclasses
import json
import shutil
import sys
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.feature_extraction.text import TfidfVectorizer

from model.comment import Comment, Label, LabeledComment
from tests.toy import TOY_PARAMS, toy_corpus
from training import peers_text
from training.__main__ import main
from training.corpus import Limits
from training.peers import OURS, PeerFailedError, PeerUnavailableError, compare, to_markdown
from training.peers_mail import Bogofilter, SpamProbe, as_mail
from training.peers_text import Counts, FastText, NaiveBayes, Tfidf

TEXT_PEERS = {"TF-IDF": Tfidf, "ComplementNB": NaiveBayes}


class Told:
    """Scores every comment as it was told to, and keeps what it was fitted on."""

    def __init__(self, rows, score):
        self.rows, self.score, self.fits = rows, score, []

    def scores(self, fitted, weights, judged):
        self.fits.append((fitted, weights, judged))
        return {"told": np.array([self.score(self.rows[place]) for place in judged], dtype=np.float64)}


def built(score):
    peers = []

    def build(rows):
        peers.append(Told(rows, score))
        return peers[-1]

    return build, peers


def test_every_scorer_is_judged_on_every_blog():
    found = compare(toy_corpus(), TOY_PARAMS, TEXT_PEERS)
    names = {OURS, "TF-IDF + logistic regression", "TF-IDF + linear SVM", "ComplementNB"}
    assert {(row.scorer, row.source) for row in found.reached} == {
        (name, f"site-{number}") for name in names for number in range(4)
    }
    assert found.means[0].scorer == OURS
    assert all(row.auc > 0.5 for row in found.means)


def test_a_peer_sees_no_row_of_the_blog_it_is_judged_on():
    build, peers = built(lambda row: 0.0)
    compare(toy_corpus(), TOY_PARAMS, {"told": build})
    assert len(peers[0].fits) == 4
    for fitted, weights, judged in peers[0].fits:
        sources = {peers[0].rows[place].source for place in judged}
        assert len(sources) == 1
        assert sources.isdisjoint(peers[0].rows[place].source for place in fitted)
        assert (judged.size, fitted.size, weights.size) == (128, 384, 384)


def test_fits_are_limited_and_judged_rows_are_not():
    build, peers = built(lambda row: 0.0)
    found = compare(toy_corpus(), dataclasses.replace(TOY_PARAMS, limits=Limits(10, 25)), {"told": build})
    assert {fitted.size for fitted, _, _ in peers[0].fits} == {3 * 2 * 10}
    assert {judged.size for _, _, judged in peers[0].fits} == {128}
    assert (found.per_source, set(found.n_fitted.values())) == (10, {60})


def test_a_perfect_peer_reaches_everything_and_a_mute_one_nothing():
    perfect, _ = built(lambda row: float(row.is_spam))
    mute, _ = built(lambda row: 0.5)
    for build, reached in ((perfect, 1.0), (mute, 0.0)):
        mean = compare(toy_corpus(), TOY_PARAMS, {"told": build}).means[1]
        assert (mean.recall_1, mean.recall_01, mean.recall_1_interval) == (
            reached,
            reached,
            (reached, reached),
        )


def test_our_lead_is_measured_on_the_same_draws():
    ours = compare(toy_corpus(), TOY_PARAMS, {}).means[0]
    assert ours.behind_1 == ours.behind_01 == (0.0, 0.0)


def test_what_cannot_run_here_is_named_in_the_table():
    def build(rows):
        raise PeerUnavailableError("no program sieve: install it")

    told = []
    found = compare(toy_corpus(), TOY_PARAMS, {"sieve": build}, progress=told.append)
    assert found.skipped == {"sieve": "no program sieve: install it"}
    assert "sieve was skipped: no program sieve: install it." in to_markdown(found)
    assert "sieve skipped: no program sieve: install it" in told


def test_a_score_that_is_no_number_stops_the_comparison():
    build, _ = built(lambda row: float("nan"))
    with pytest.raises(PeerFailedError, match="told gave a score that is no number, without site-0"):
        compare(toy_corpus(), TOY_PARAMS, {"told": build})


def test_a_corpus_without_blogs_to_judge_on_is_refused():
    with pytest.raises(ValueError, match="50 spam and 50 ham"):
        compare(toy_corpus()[:40], TOY_PARAMS, {})


def test_tables_and_data_quote_no_comment():
    found = compare(toy_corpus(), TOY_PARAMS, TEXT_PEERS)
    table, data = to_markdown(found), json.dumps(found.as_dict(), allow_nan=False)
    assert "| spam / ham | 64 / 64 |" in table
    assert "casino" not in table + data


def test_cut_columns_are_those_that_counting_the_fitted_rows_alone_gives():
    texts = [peers_text.text_of(row) for row in toy_corpus()[::9]]
    fitted, judged = np.arange(0, len(texts), 2), np.arange(1, len(texts), 2)
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, use_idf=False, norm=None)
    expected = vectorizer.fit_transform([texts[place] for place in fitted])
    seen, unseen = Counts(texts, "char_wb", (2, 5)).split(fitted, judged)
    assert (seen != expected).nnz == 0
    assert (unseen != vectorizer.transform([texts[place] for place in judged])).nnz == 0


def a_row(**fields):
    return LabeledComment(Comment(**fields), Label.HAM)


def test_a_comment_becomes_one_mail():
    mail = as_mail(
        a_row(
            body="Hello\r\nFrom here on\0it works\n\n\nreally",
            author="alice\nTo: bob",
            url="https://alice.example/ ",
        )
    )
    assert mail.decode().splitlines()[1:] == [
        "From: alice To: bob",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        "URL: https://alice.example/",
        "",
        "Hello",
        ">From here on it works",
        "",
        "",
        "really",
        "",
    ]


ODD_COMMENTS = [
    a_row(),
    a_row(body="\n\n"),
    a_row(body="From one\nFrom two\n\nFrom three"),
    a_row(body="Grüße, 中文 \U0001f600 \ud800", author="\0"),
    a_row(body="x" * 100_000),
    a_row(body="<p>" * 1000 + "Content-Length: 3"),
    a_row(body="Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b--"),
]


@pytest.mark.parametrize("kind", [Bogofilter, SpamProbe])
def test_a_mail_filter_learns_and_scores_every_comment(kind):
    if shutil.which(kind.program) is None:
        pytest.skip(f"{kind.program} is not installed")
    rows = [*toy_corpus(), *ODD_COMMENTS]
    fitted, judged = np.arange(0, 512, 2), np.append(np.arange(1, 512, 2), np.arange(512, len(rows)))
    scores = kind(rows).scores(fitted, np.ones(fitted.size), judged)[kind.program]
    assert scores.shape == judged.shape
    is_spam = np.array([rows[place].is_spam for place in judged])[:256]
    assert scores[:256][is_spam].mean() > scores[:256][~is_spam].mean() + 0.5


class Absent(Bogofilter):
    program = "no-such-filter"


class Short(Bogofilter):
    program = "true"


class Failing(Bogofilter):
    program = "sh"

    def learn(self, folder, mailbox, *, is_spam):
        self.run("-c", "exit 3")


def test_a_filter_that_is_not_installed_is_named():
    with pytest.raises(PeerUnavailableError, match="no program no-such-filter: install the Debian package"):
        Absent(toy_corpus())


@pytest.mark.parametrize(
    ("kind", "message"), [(Short, "true gave 0 scores for 2 messages"), (Failing, "sh ended with status 3")]
)
def test_a_filter_that_fails_is_named(kind, message):
    with pytest.raises(PeerFailedError, match=message):
        kind(toy_corpus()).scores(np.array([0, 300]), np.ones(2), np.array([1, 301]))


def test_fasttext_is_named_where_it_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "fasttext", None)
    with pytest.raises(PeerUnavailableError, match="no module fasttext"):
        FastText(toy_corpus())


class Words(ModuleType):
    """Stands for the library: keeps the labels it was fitted on, and knows spam by a word."""

    def train_supervised(self, path, **settings):
        with open(path, encoding="utf-8") as lines:
            pairs = [line.rstrip("\n").split(" ", 1) for line in lines]
        self.labels = [label for label, _ in pairs]
        return self

    def predict(self, lines, k):
        assert not any("\n" in line for line in lines)
        names = ["__label__spam", "__label__ham"]
        labels = [names if "example" in line else names[::-1] for line in lines]
        return labels, np.array([[0.9, 0.1]] * len(lines))


def test_fasttext_is_given_lines_and_gives_log_odds(monkeypatch):
    library = Words("fasttext")
    monkeypatch.setitem(sys.modules, "fasttext", library)
    rows = [a_row(body="a\nb"), *toy_corpus()]
    scores = FastText(rows).scores(np.array([0, 1, 300]), np.ones(3), np.array([0, 257]))["fastText"]
    assert sorted(library.labels) == ["__label__ham", "__label__ham", "__label__spam"]
    assert scores == pytest.approx([-np.log(9), np.log(9)])


@pytest.fixture
def corpus_folder(tmp_path):
    """The toy corpus as a file, dealt over five sources."""
    rows = toy_corpus()
    with (tmp_path / "toy.jsonl").open("w", encoding="utf-8") as lines:
        for number, row in enumerate(rows):
            record = {"content": row.comment.body, "author": row.comment.author, "label": row.label.value}
            print(json.dumps({**record, "source": f"site-{number % 5}"}), file=lines)
    return tmp_path


def test_the_command_writes_tables_and_data(corpus_folder):
    out = corpus_folder / "out" / "peers.json"
    arguments = ["peers", "--corpora", str(corpus_folder), "--only", "ComplementNB", "--per-source", "20"]
    result = CliRunner().invoke(main, [*arguments, "--json", str(out)])
    assert result.exit_code == 0, result.output
    assert json.loads(out.read_text())["per_source"] == 20
    assert "| ComplementNB |" in out.with_suffix(".md").read_text()


def test_an_evaluation_with_baseline_writes_both_tables(corpus_folder):
    out = corpus_folder / "out"
    arguments = ["evaluate", "--corpora", str(corpus_folder), "--json", str(out / "left-out.json")]
    result = CliRunner().invoke(main, [*arguments, "--baseline"])
    assert result.exit_code == 0, result.output
    assert "## Sources left out" in (out / "left-out.md").read_text()
    assert "| TF-IDF + linear SVM |" in (out / "peers.md").read_text()
    assert json.loads((out / "peers.json").read_text())["per_source"] == 1_500


def test_a_corpus_without_blogs_ends_the_command_with_the_reason(tmp_path):
    (tmp_path / "few.jsonl").write_text('{"content": "Thanks, that helped.", "label": "ham"}\n')
    result = CliRunner().invoke(main, ["peers", "--corpora", str(tmp_path)])
    assert result.exit_code == 1
    assert "no blog has 50 spam and 50 ham" in result.output
