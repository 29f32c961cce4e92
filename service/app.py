"""Joins the parts into one application; the only place where that happens."""

from __future__ import annotations

import contextlib
from importlib import import_module

from flask import Flask
from flask_babel import Babel
from werkzeug.middleware.proxy_fix import ProxyFix

from model.comment import Comment
from model.errors import ModelUnavailable
from service.administration import SiteAdministration
from service.akismet.account import account
from service.akismet.views import comments
from service.appeals import Appeals, bounds_of, log_of
from service.calibration import Calibration
from service.champion import Champion, FixedModel, Scorer, ScorerSource
from service.checking import Checker
from service.clock import Clock, utc_now
from service.company import CompanyCounter
from service.components import EXTENSION, Components
from service.db import Database
from service.failures import install_failures
from service.feedback import Feedback
from service.forgetting import may_remember
from service.health import health
from service.keeping import RetentionRules
from service.keys import Keys
from service.learning import SiteLearning
from service.notice import Notices
from service.policies import Policies, defaults_of
from service.privacy import views as privacy_pages
from service.privacy.languages import chosen_language
from service.promotion import Promotion
from service.pseudonyms import Pseudonyms
from service.queue import wake_worker
from service.readiness import Readiness
from service.retention import days_of
from service.retraining import Retraining
from service.retrospect import Retrospect
from service.rights import Rights
from service.settings import Settings
from service.startup import open_registry, renewal, secret_of
from service.statistics import Statistics
from service.stores.appeals import AppealStore
from service.stores.calibration import CalibrationStore
from service.stores.checks import CheckStore
from service.stores.company import CompanyStore
from service.stores.counts import CountStore
from service.stores.feedback import FeedbackStore
from service.stores.keys import KeyStore
from service.stores.material import MaterialStore
from service.stores.notices import NoticeStore
from service.stores.policies import PolicyStore
from service.stores.purges import PurgeLog
from service.stores.purging import PurgeStore
from service.stores.retention import RetentionStore
from service.stores.retrospect import RetrospectStore
from service.stores.rights import RightsStore
from service.stores.runs import RunStore
from service.stores.site_weights import SiteWeightsStore
from service.stores.sites import SiteStore
from service.stores.versions import ModelEventStore
from service.v1 import openapi
from service.verdicts import Verdicts
from service.versions import Versions
from service.webhooks import KeyVault, Webhooks


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
    _trust_proxies(app, settings.trusted_proxies)
    Babel(app, locale_selector=chosen_language)
    clock = clock or utc_now
    database = database or Database(
        settings.sqlalchemy_url, timeout_s=settings.database_timeout_s, pool_size=settings.threads
    )
    pseudonyms = Pseudonyms(secret_of(settings))
    models = _models(settings, scorer)
    learning = SiteLearning(SiteWeightsStore(database))
    site_store = SiteStore()
    wishes = PolicyStore(database, site_store)
    defaults = defaults_of(settings)
    retention_store = RetentionStore(database, site_store)
    calibration = Calibration(models=models, judged=CalibrationStore(database), log=wishes, clock=clock)
    check_store = CheckStore(database, site_store)
    policies = Policies(wishes, defaults, clock, on_out_of_date=calibration.notice)
    checker = Checker(
        models=models,
        checks=check_store,
        policies=policies,
        learning=learning,
        pseudonyms=pseudonyms,
        clock=clock,
        company=_company(settings, database, clock),
    )
    feedback = Feedback(
        labels=FeedbackStore(database, site_store, learn_per_day=settings.learn_per_day),
        pseudonyms=pseudonyms,
        clock=clock,
        models=models,
        learning=learning,
        on_label=calibration.notice,
    )
    registry = open_registry(settings)
    runs = RunStore(database, clock)
    retraining = Retraining(runs, lambda: wake_worker(settings))
    webhooks = Webhooks(wishes, KeyVault(pseudonyms))
    app.extensions[EXTENSION] = Components(
        keys=Keys(
            KeyStore(database, site_store),
            pseudonyms,
            clock,
            renew=renewal(settings, database, pseudonyms),
        ),
        checker=checker,
        verdicts=Verdicts(checker, check_store),
        feedback=feedback,
        administration=SiteAdministration(
            store=wishes,
            calibration=calibration,
            models=models,
            defaults=defaults,
            pseudonyms=pseudonyms,
            clock=clock,
        ),
        calibration=calibration,
        statistics=Statistics(CountStore(database), clock),
        readiness=Readiness(models=models, database=database, data_dir=settings.data_dir),
        models=models,
        pseudonyms=pseudonyms,
        retraining=retraining,
        promotion=Promotion(registry, ModelEventStore(database), clock),
        versions=Versions(registry, MaterialStore(database), clock),
        retrospect=Retrospect(
            log=RetrospectStore(database), checks=check_store, feedback=feedback, clock=clock
        ),
        webhooks=webhooks,
        appeals=Appeals(
            log=AppealStore(database),
            feedback=feedback,
            sites=webhooks,
            pseudonyms=pseudonyms,
            clock=clock,
            bounds=bounds_of(settings),
            tell=log_of(settings),
        ),
        notices=Notices(
            settings=settings,
            store=NoticeStore(database),
            policies=policies,
            models=models,
            days=days_of(settings, retention_store.of),
        ),
        retention=RetentionRules(settings, retention_store, clock),
        purges=PurgeLog(database, clock),
        rights=Rights(
            RightsStore(database),
            pseudonyms,
            clock,
            scrub=database.scrub,
            forget_flips=PurgeStore(database).forget_flips,
            retraining=retraining,
            may_remember=lambda: may_remember(registry, runs),
        ),
    )
    for blueprint in (comments, account, openapi.blueprint(), health, privacy_pages.blueprint()):
        app.register_blueprint(blueprint)
    install_failures(app)
    return app


def warm_up(app: Flask) -> None:
    """Load the model, and what learning stands on, now: the first comment or correction need not wait for it.

    Without a model nothing is lost: the log says what to do, and requests are answered `unavailable`.
    """
    for name in ("scipy.linalg", "scipy.sparse", "scipy.special"):
        import_module(name)
    models: ScorerSource = app.extensions[EXTENSION].models
    with contextlib.suppress(ModelUnavailable):
        # An address and a letter beyond ASCII, because the tables for both are filled on first use.
        models.current().judge(Comment(body="wärm-up http://example.org/", url="http://example.com/"))


def _trust_proxies(app: Flask, n_proxies: int) -> None:
    """Take the address that asks, and whether it did so by TLS, from what our own reverse proxies say."""
    if n_proxies:
        # Not the host: its first label may be a key, and our proxies hand it on as it was sent.
        trusting = ProxyFix(app.wsgi_app, x_for=n_proxies, x_proto=n_proxies, x_host=0, x_port=0, x_prefix=0)
        app.wsgi_app = trusting  # type: ignore[method-assign]


def _company(settings: Settings, database: Database, clock: Clock) -> CompanyCounter | None:
    if not settings.company_days:
        return None
    return CompanyCounter(CompanyStore(database), clock, days=settings.company_days)


def _models(settings: Settings, scorer: Scorer | ScorerSource | None) -> ScorerSource:
    if scorer is None:
        return Champion(open_registry(settings))
    return scorer if isinstance(scorer, ScorerSource) else FixedModel(scorer)
