"""Peers that a user would build with a library: TF-IDF with linear models, naive Bayes, fastText."""

from __future__ import annotations

import importlib
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from model.comment import LabeledComment
from training import corpus
from training.peers import PeerUnavailableError, Places

MIN_DF = 2
"""Comments that a fit must have seen an n-gram in before it becomes a column."""


def text_of(row: LabeledComment) -> str:
    """Return what a text classifier is given: author, author's address and text, each on a line."""
    comment = row.comment
    return f"{comment.author}\n{comment.url}\n{comment.body}"


class Counts:
    """n-gram counts of all comments, made once; a fit's own columns are cut out of them.

    Cutting the columns that the fitted rows have gives the same table as counting those rows alone, and spares
    counting them again without each blog.

    Parameters
    ----------
    texts : sequence of str
    analyzer : {"word", "char_wb"}
    lengths : (int, int)
    """

    def __init__(self, texts: Sequence[str], analyzer: str, lengths: tuple[int, int]) -> None:
        vectorizer = CountVectorizer(analyzer=analyzer, ngram_range=lengths, dtype=np.float32)
        self._table: Any = vectorizer.fit_transform(texts)

    def split(self, fitted: Places, judged: Places) -> tuple[Any, Any]:
        """Return the counts of fitted and of judged rows, in the columns that the fitted ones have."""
        seen = self._table[fitted]
        n_comments = np.bincount(seen.indices, minlength=seen.shape[1])
        columns = np.flatnonzero(n_comments >= MIN_DF)
        return seen[:, columns], self._table[judged][:, columns]


class Tfidf:
    """TF-IDF of words (1-2) and of characters within words (2-5), each of norm 1; logistic regression and SVM.

    Parameters
    ----------
    comments : sequence of LabeledComment
    inverse_penalties : mapping of str to float
        scikit-learn's ``C`` per model; its own default for both.
    """

    def __init__(
        self,
        comments: Sequence[LabeledComment],
        *,
        inverse_penalties: Mapping[str, float] | None = None,
    ) -> None:
        texts = [text_of(row) for row in comments]
        self._is_spam = corpus.labels(comments)
        self._blocks = [Counts(texts, "word", (1, 2)), Counts(texts, "char_wb", (2, 5))]
        self._penalties = {"logistic": 1.0, "svm": 1.0, **(inverse_penalties or {})}

    def scores(
        self, fitted: Places, weights: NDArray[np.float64], judged: Places
    ) -> Mapping[str, NDArray[np.float64]]:
        """Fit both models on one table, and score."""
        parts = []
        for block in self._blocks:
            seen, unseen = block.split(fitted, judged)
            transformer = TfidfTransformer(sublinear_tf=True).fit(seen)
            parts.append((transformer.transform(seen), transformer.transform(unseen)))
            del seen, unseen
        rows, others = (
            scipy.sparse.hstack(blocks, format="csr", dtype=np.float64) for blocks in zip(*parts, strict=True)
        )
        del parts
        models = {
            "TF-IDF + logistic regression": LogisticRegression(
                C=self._penalties["logistic"], solver="liblinear", tol=1e-3, random_state=0
            ),
            "TF-IDF + linear SVM": LinearSVC(
                C=self._penalties["svm"], dual=True, tol=1e-2, max_iter=200, random_state=0
            ),
        }
        scores = {}
        for name, model in models.items():
            with warnings.catch_warnings():
                # The last digits of the weights move no rank that is measured here.
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(rows, self._is_spam[fitted], sample_weight=weights)
            scores[name] = np.asarray(model.decision_function(others), dtype=np.float64)
        return scores


class NaiveBayes:
    """Complement naive Bayes over word counts.

    References
    ----------
    J. D. M. Rennie et al., "Tackling the poor assumptions of naive Bayes text classifiers", ICML 2003.
    """

    def __init__(self, comments: Sequence[LabeledComment]) -> None:
        self._is_spam = corpus.labels(comments)
        self._words = Counts([text_of(row) for row in comments], "word", (1, 1))

    def scores(
        self, fitted: Places, weights: NDArray[np.float64], judged: Places
    ) -> Mapping[str, NDArray[np.float64]]:
        """Fit and score."""
        rows, others = self._words.split(fitted, judged)
        model = ComplementNB().fit(rows, self._is_spam[fitted], sample_weight=weights)
        ham, spam = model.predict_joint_log_proba(others).T
        return {"ComplementNB": np.asarray(spam - ham, dtype=np.float64)}


class FastText:
    """fastText's supervised classifier, words (1-2) and characters (2-5); takes no weights.

    References
    ----------
    A. Joulin et al., "Bag of tricks for efficient text classification", EACL 2017.
    """

    def __init__(self, comments: Sequence[LabeledComment]) -> None:
        try:
            self._library: Any = importlib.import_module("fasttext")
        except ModuleNotFoundError as error:
            raise PeerUnavailableError(
                "no module fasttext: install fasttext-community, a wheel for Python 3.11"
            ) from error
        # A line is a comment to fastText, and a label is a word with a prefix.
        self._lines = [
            " ".join(text_of(row).lower().replace("__label__", " ").replace("\0", " ").split())
            for row in comments
        ]
        self._is_spam = corpus.labels(comments)

    def scores(
        self, fitted: Places, weights: NDArray[np.float64], judged: Places
    ) -> Mapping[str, NDArray[np.float64]]:
        """Fit from a file, which is gone afterwards, and score."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "fit.txt"
            # Its gradient steps go by order, so neighbours in the file must not all be of one source.
            shuffled = np.random.default_rng(0).permutation(fitted).tolist()
            path.write_text(
                "".join(
                    f"__label__{'spam' if self._is_spam[place] else 'ham'} {self._lines[place]}\n"
                    for place in shuffled
                ),
                encoding="utf-8",
                errors="replace",
            )
            model = self._library.train_supervised(
                str(path),
                dim=50,
                epoch=5,
                lr=0.5,
                wordNgrams=2,
                minn=2,
                maxn=5,
                bucket=500_000,
                minCount=MIN_DF,
                thread=1,
                verbose=0,
            )
        lines = [self._lines[place].encode("utf-8", "replace").decode() for place in judged.tolist()]
        labels, chances = model.predict(lines, k=2)
        spam = [
            np.log(row[names.index("__label__spam")]) - np.log(row[names.index("__label__ham")])
            for names, row in zip(map(list, labels), chances, strict=True)
        ]
        return {"fastText": np.array(spam, dtype=np.float64)}
