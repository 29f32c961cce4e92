"""Real classes that stand in for what is slow, random or elsewhere."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import ClassVar

from model.budget import CutTable
from model.comment import Comment
from model.document import Document
from model.errors import ArtifactRejected, ModelUnavailable
from model.site_weights import SiteWeights
from model.verdict import Clue, Policy, Verdict

POLICY = Policy(unsure_from=0.3, spam_from=0.9, discard_from=0.99)


class FixedScore:
    """A model that gives every comment the same score."""

    cut_table: CutTable | None = None

    def __init__(self, score: float, *, version: str = "fixed-1", policy: Policy = POLICY) -> None:
        self.fixed_score = score
        self.version = version
        self.policy = policy

    def judge(
        self,
        comment: Comment,
        policy: Policy | None = None,
        site: SiteWeights | None = None,
        document: Document | None = None,
    ) -> Verdict:
        return self._verdict(self.fixed_score, (Clue("always the same", 1.0, "body"),), policy)

    def _verdict(self, score: float, clues: tuple[Clue, ...], policy: Policy | None) -> Verdict:
        applied = policy or self.policy
        log_odds = math.log(score / (1 - score)) if 0 < score < 1 else math.copysign(40.0, score - 0.5)
        return Verdict(
            score=score,
            decision=applied.decide(score),
            discard=applied.discards(score),
            clues=clues,
            bias=log_odds - sum(clue.weight for clue in clues),
            log_odds=log_odds,
            version=self.version,
        )


class KeywordScore(FixedScore):
    """A model that looks for one word of its list in the body, and else calls the comment ham."""

    SCORES: ClassVar = {"casino": 0.97, "blatant": 0.999, "maybe": 0.5}

    def __init__(self, *, version: str = "keyword-1", policy: Policy = POLICY) -> None:
        super().__init__(0.01, version=version, policy=policy)

    def judge(
        self,
        comment: Comment,
        policy: Policy | None = None,
        site: SiteWeights | None = None,
        document: Document | None = None,
    ) -> Verdict:
        for word, score in self.SCORES.items():
            if word in comment.body:
                return self._verdict(score, (Clue(f'word "{word}"', 3.5, "body"),), policy)
        return self._verdict(self.fixed_score, (Clue("nothing suspicious", -2.0, "body"),), policy)


class BrokenScore(FixedScore):
    """A model that fails in the middle of judging."""

    def __init__(self) -> None:
        super().__init__(0.5)

    def judge(
        self,
        comment: Comment,
        policy: Policy | None = None,
        site: SiteWeights | None = None,
        document: Document | None = None,
    ) -> Verdict:
        raise ValueError(f"cannot read {comment.body}")


class FrozenClock:
    """A clock that moves only when told to."""

    def __init__(self, now: dt.datetime = dt.datetime(2026, 3, 14, 15, 9, 26, tzinfo=dt.UTC)) -> None:
        self.now = now

    def __call__(self) -> dt.datetime:
        return self.now

    def advance(self, **units: float) -> None:
        self.now += dt.timedelta(**units)


class FolderOfVersions:
    """A registry whose aliases file is real and whose versions are handed in; None is a broken one."""

    def __init__(self, root: Path) -> None:
        self.aliases_path = root / "aliases"
        self.versions: dict[str, FixedScore | None] = {}

    def promote(self, version: str) -> None:
        temporary = self.aliases_path.with_suffix(".new")
        temporary.write_text(version)
        temporary.replace(self.aliases_path)

    def champion(self) -> str:
        try:
            return self.aliases_path.read_text()
        except FileNotFoundError:
            raise ModelUnavailable("no champion is named") from None

    def load(self, version: str) -> FixedScore:
        scorer = self.versions[version]
        if scorer is None:
            raise ArtifactRejected(f"{version}: the checksum does not match")
        return scorer
