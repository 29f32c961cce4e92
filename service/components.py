"""What a request may use, joined once by ``service.app``."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from service.administration import SiteAdministration
from service.appeals import Appeals
from service.calibration import Calibration
from service.champion import ScorerSource
from service.checking import Checker
from service.feedback import Feedback
from service.keeping import RetentionRules
from service.keys import Keys
from service.notice import Notices
from service.promotion import Promotion
from service.pseudonyms import Pseudonyms
from service.readiness import Readiness
from service.retraining import Retraining
from service.retrospect import Retrospect
from service.rights import Rights
from service.statistics import Statistics
from service.stores.purges import PurgeLog
from service.verdicts import Verdicts
from service.versions import Versions
from service.webhooks import Webhooks

EXTENSION = "replyguard"


@dataclass(frozen=True, slots=True)
class Components:
    """The use cases of one application."""

    keys: Keys
    checker: Checker
    verdicts: Verdicts
    feedback: Feedback
    administration: SiteAdministration
    calibration: Calibration
    statistics: Statistics
    readiness: Readiness
    models: ScorerSource
    pseudonyms: Pseudonyms
    retraining: Retraining
    promotion: Promotion
    notices: Notices
    versions: Versions
    retrospect: Retrospect
    webhooks: Webhooks
    appeals: Appeals
    retention: RetentionRules
    purges: PurgeLog
    rights: Rights


def components() -> Components:
    """Return the use cases of the application that serves the present request."""
    found: Components = current_app.extensions[EXTENSION]
    return found
