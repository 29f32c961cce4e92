"""Joins the parts into one application; the only place where that happens."""

from __future__ import annotations

import contextlib

from flask import Flask

from model.comment import Comment
from model.errors import ModelUnavailable
from service.akismet.account import account
from service.akismet.views import comments
from service.champion import Champion, FixedModel, Scorer, ScorerSource
from service.checking import Checker
from service.clock import Clock, utc_now
from service.components import EXTENSION, Components
from service.db import Database
from service.failures import install_failures
from service.feedback import Feedback
from service.health import health
from service.keys import Keys
from service.learning import SiteLearning
from service.policy import PolicyOverrides
from service.privacy import privacy
from service.pseudonyms import Pseudonyms
from service.readiness import Readiness
from service.settings import Settings
from service.startup import open_registry, secret_of
from service.statistics import Statistics
from service.stores.checks import CheckStore
from service.stores.counts import CountStore
from service.stores.feedback import FeedbackStore
from service.stores.keys import KeyStore
from service.stores.site_weights import SiteWeightsStore
from service.stores.sites import SiteStore


def create_app(
    settings: Settings,
    *,
    scorer: Scorer | ScorerSource | None = None,
    clock: Clock | None = None,
    database: Database | None = None,
) -> Flask:
    """Make the application.

    Parameters
    ----------
    settings : Settings
    scorer : Scorer or ScorerSource, optional
        The model that answers, or where it comes from; the registry's champion if not given.
    clock : callable, optional
        Returns the present moment with its zone; the system's if not given.
    database : Database, optional
        Opened from the settings if not given.

    Returns
    -------
    Flask
        Opens connections and loads the model at the first request, so it may be made before a fork.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.url_map.strict_slashes = False
    clock = clock or utc_now
    database = database or Database(
        settings.sqlalchemy_url, timeout_s=settings.database_timeout_s, pool_size=settings.threads
    )
    pseudonyms = Pseudonyms(secret_of(settings))
    models = _models(settings, scorer)
    learning = SiteLearning(SiteWeightsStore(database))
    site_store = SiteStore()
    app.extensions[EXTENSION] = Components(
        keys=Keys(KeyStore(database, site_store), pseudonyms, clock),
        checker=Checker(
            models=models,
            checks=CheckStore(database, site_store),
            pseudonyms=pseudonyms,
            clock=clock,
            unsure=settings.unsure,
            overrides=PolicyOverrides(settings.unsure_from, settings.spam_from, settings.discard_from),
            learning=learning,
        ),
        feedback=Feedback(
            labels=FeedbackStore(database, site_store, learn_per_day=settings.learn_per_day),
            pseudonyms=pseudonyms,
            clock=clock,
            models=models,
            learning=learning,
        ),
        statistics=Statistics(CountStore(database), clock),
        readiness=Readiness(models=models, database=database, data_dir=settings.data_dir),
        models=models,
    )
    for blueprint in (comments, account, health, privacy):
        app.register_blueprint(blueprint)
    install_failures(app)
    return app


def warm_up(app: Flask) -> None:
    """Load the model now, so that the first comment need not wait for it.

    Without a model nothing is lost: the log says what to do, and requests are answered `unavailable`.
    """
    models: ScorerSource = app.extensions[EXTENSION].models
    with contextlib.suppress(ModelUnavailable):
        # An address and a letter beyond ASCII, because the tables for both are filled on first use.
        models.current().judge(Comment(body="wärm-up http://example.org/", url="http://example.com/"))


def _models(settings: Settings, scorer: Scorer | ScorerSource | None) -> ScorerSource:
    if scorer is None:
        return Champion(open_registry(settings))
    return scorer if isinstance(scorer, ScorerSource) else FixedModel(scorer)
