"""The operator's own cut-offs on top of a model's."""

from __future__ import annotations

from dataclasses import dataclass

from model.verdict import Policy


@dataclass(frozen=True, slots=True)
class PolicyOverrides:
    """Cut-offs that replace the model's where they are given.

    Attributes
    ----------
    unsure_from, spam_from, discard_from : float or None
        In rising order as far as they are given; None keeps the model's.
    """

    unsure_from: float | None = None
    spam_from: float | None = None
    discard_from: float | None = None

    def over(self, policy: Policy) -> Policy:
        """Return the policy that applies.

        A cut-off that is given moves its neighbours along where they would be out of order: who sets only
        ``spam_from`` below the model's ``unsure_from`` gets no unsure range, not an error.
        """
        spam_from = policy.spam_from if self.spam_from is None else self.spam_from
        if self.spam_from is None:
            if self.unsure_from is not None:
                spam_from = max(spam_from, self.unsure_from)
            if self.discard_from is not None:
                spam_from = min(spam_from, self.discard_from)
        unsure_from = min(policy.unsure_from, spam_from) if self.unsure_from is None else self.unsure_from
        discard_from = max(policy.discard_from, spam_from) if self.discard_from is None else self.discard_from
        return Policy(unsure_from=unsure_from, spam_from=spam_from, discard_from=discard_from)
