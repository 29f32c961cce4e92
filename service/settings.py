"""What an operator can set, by environment variable; reads and checks, opens nothing."""

from __future__ import annotations

import datetime as dt
import difflib
import enum
import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

PREFIX = "REPLYGUARD_"


class SettingsError(Exception):
    """At least one setting cannot be used.

    Parameters
    ----------
    problems : sequence of str
        One line per problem: the variable, what is wrong with it, and the remedy.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UnsureAnswer(enum.Enum):
    """What goes over the Akismet wire for a comment that is neither clearly ham nor clearly spam."""

    PUBLISH = "publish"
    HOLD = "hold"
    SPAM = "spam"


def _cut_off(value: object) -> object:
    """Read ``never`` as a cut-off that no score reaches."""
    return math.inf if isinstance(value, str) and value.strip().lower() == "never" else value


CutOff = Annotated[float, BeforeValidator(_cut_off)]


class Settings(BaseModel):
    """Everything an operator can set; each field is the variable ``REPLYGUARD_`` + its name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Field(
        default=Path("var"),
        description="Folder for the secret, the embedded database and the models. Made at the first start.",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description=(
            "Database as a SQLAlchemy URL, sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."
            " Unset: the SQLite file replyguard.db in the data folder."
        ),
    )
    database_timeout_s: float = Field(
        default=0.6,
        gt=0.0,
        le=60.0,
        description=(
            "Seconds to wait for a locked or silent database before answering that the service is"
            " unavailable. Keep it under the shortest timeout of your clients (the Python client waits 1.0)."
        ),
    )
    secret: SecretStr | None = Field(
        default=None,
        description=(
            "Secret under which API keys, e-mail and IP addresses are hashed, at least 32 characters."
            " Unset: made at the first start and kept in the data folder. Set it where several machines"
            " share one database."
        ),
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8080, ge=1, le=65535, description="TCP port to listen on.")
    workers: int = Field(default=2, ge=1, le=256, description="Worker processes.")
    threads: int = Field(default=4, ge=1, le=256, description="Threads per worker process.")
    max_body_bytes: int = Field(
        default=8 * 1024 * 1024,
        ge=64 * 1024,
        description="Largest request body, in bytes; a larger one is answered 413.",
    )
    unsure: UnsureAnswer = Field(
        default=UnsureAnswer.PUBLISH,
        description=(
            "Akismet answer for an unsure comment: publish (false), hold (neither true nor false)"
            " or spam (true)."
        ),
    )
    unsure_from: CutOff | None = Field(
        default=None,
        ge=0.0,
        description="Lowest score that is unsure, 0 to 1 or never. Unset: the model's own cut-off.",
    )
    spam_from: CutOff | None = Field(
        default=None,
        ge=0.0,
        description="Lowest score that is spam, 0 to 1 or never. Unset: the model's own cut-off.",
    )
    discard_from: CutOff | None = Field(
        default=None,
        ge=0.0,
        description=(
            "Lowest score at which a client may throw the comment away unseen, 0 to 1 or never."
            " Unset: the model's own cut-off."
        ),
    )
    learn_per_day: int = Field(
        default=500,
        ge=0,
        description=(
            "Corrections of one API key that are learnt on one day (UTC); more are kept, and learnt once you"
            " agree (replyguard feedback). 0 learns nothing by itself."
        ),
    )
    company_days: int = Field(
        default=60,
        ge=0,
        le=3650,
        description=(
            "Days for which a comment is remembered as possible company of later ones: near-copies, the same"
            " opening words and the same linked domains under other names count as evidence. 0: not at all."
        ),
    )
    retention_appeals_days: int = Field(
        default=180,
        ge=0,
        le=3650,
        description="Days for which requests for a person to look are kept. 0: until they are erased.",
    )
    appeals_per_address_hour: int = Field(
        default=5,
        ge=1,
        le=10_000,
        description="Requests for a person to look that are taken from one address in an hour (IPv6: from one /64).",
    )
    appeals_per_person_day: int = Field(
        default=3,
        ge=1,
        le=10_000,
        description=(
            "Requests for a person to look with one e-mail address or reference in 24 hours that go into the queue;"
            " while one of them is open, more are kept beside it as duplicates, and answered alike."
        ),
    )
    appeals_per_hour: int = Field(
        default=60,
        ge=1,
        le=1_000_000,
        description="Requests for a person to look that are taken in an hour altogether.",
    )
    appeals_log: Literal["warning", "info", "off"] = Field(
        default="warning",
        description=(
            "How the log tells of a new request for a person to look: warning, info or off. The line says how"
            " many are open and nothing about who asks."
        ),
    )
    trusted_proxies: int = Field(
        default=0,
        ge=0,
        le=10,
        description=(
            "Reverse proxies in front of the service that set X-Forwarded-For and X-Forwarded-Proto and whose word"
            " is taken for the address that asks. 0: none, the header is not read."
        ),
    )
    retention_comments_days: int = Field(
        default=90,
        ge=0,
        le=3650,
        description=(
            "Days for which checked comments are kept, unless a site sets its own. 0: until they are erased."
        ),
    )
    retention_feedback_days: int = Field(
        default=730,
        ge=0,
        le=3650,
        description=(
            "Days for which moderators' corrections are kept with their comments, counted from the correction, unless"
            " a site sets its own. 0: until they are erased."
        ),
    )
    retention_counts_days: int = Field(
        default=0,
        ge=0,
        le=3650,
        description="Days for which daily counts are kept, unless a site sets its own. 0: until they are erased.",
    )
    purge_at: dt.time = Field(
        default=dt.time(4, 30), description="Time of day at which old data is deleted, HH:MM in UTC."
    )
    controller_name: str | None = Field(
        default=None,
        max_length=200,
        description="Who is responsible for the data of commenters; the privacy notice names them.",
    )
    controller_contact: str | None = Field(
        default=None,
        max_length=500,
        description=(
            "How commenters reach whoever is responsible: an e-mail address, the address of a page (https://...)"
            " or a postal address. Stands in the privacy notice."
        ),
    )
    corpora: Path | None = Field(
        default=None,
        description="Folder of labelled comments, for training only. The service runs without it.",
    )
    redis_url: SecretStr | None = Field(
        default=None,
        description=(
            "Redis for the queue of jobs, redis://[:PASSWORD@]HOST[:PORT][/NUMBER], where several machines share"
            " the work. Unset: the SQLite file jobs.db in the data folder."
        ),
    )
    run_worker: bool = Field(
        default=True,
        description=(
            "Whether `replyguard serve` also runs a worker, at low priority, that retrains the model: true or"
            " false. With false, run `replyguard worker` somewhere."
        ),
    )
    retrain_every_days: int = Field(
        default=7, ge=0, le=3650, description="Days from one retraining to the next; 0: only when asked for."
    )
    retrain_at: dt.time = Field(
        default=dt.time(3, 30), description="Time of day of scheduled retrainings, HH:MM in UTC."
    )
    keep_models: int = Field(
        default=10,
        ge=2,
        le=1000,
        description="Versions of the model that are kept beside the champion and the shipped one.",
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="Form of the log lines on standard error: text or json."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe log lines to write: debug, info, warning or error."
    )

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _parse_database_url(value.get_secret_value())
        return value

    @field_validator("secret")
    @classmethod
    def _check_secret(cls, value: SecretStr | None) -> SecretStr | None:
        # More than one line after a rotation: each was put on top of those above it.
        if value is not None and any(
            len(line.strip()) < 32 for line in value.get_secret_value().splitlines() or [""]
        ):
            raise ValueError("is shorter than 32 characters; make one with: openssl rand -hex 32")
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _check_redis(value.get_secret_value())
        return value

    @field_validator("retrain_at", "purge_at")
    @classmethod
    def _check_retrain_at(cls, value: dt.time) -> dt.time:
        if value.tzinfo is not None:
            raise ValueError("names a time zone; write HH:MM, in UTC")
        return value

    @field_validator("unsure_from", "spam_from", "discard_from")
    @classmethod
    def _check_cut_off(cls, value: float | None) -> float | None:
        if value is not None and (math.isnan(value) or 1.0 < value < math.inf):
            raise ValueError("is not a score; give a number from 0 to 1, or never")
        return value

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        given = [
            (f"{PREFIX}{name.upper()}", cut)
            for name in ("unsure_from", "spam_from", "discard_from")
            if (cut := getattr(self, name)) is not None
        ]
        for (low_name, low), (high_name, high) in itertools.pairwise(given):
            if low > high:
                raise ValueError(
                    f"{low_name} ({low:g}) is above {high_name} ({high:g}); swap or correct them"
                )
        return self

    @property
    def sqlalchemy_url(self) -> URL:
        """Address of the database with its driver; carries the password, never log it."""
        if self.database_url is None:
            return URL.create("sqlite", database=str(self.data_dir / "replyguard.db"))
        return _parse_database_url(self.database_url.get_secret_value())

    @property
    def models_dir(self) -> Path:
        """Folder of the model registry."""
        return self.data_dir / "models"


#: Settings that may carry a secret and can therefore be read from the file that NAME_FILE names.
SECRET_SETTINGS = ("database_url", "redis_url", "secret")


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables.

    Parameters
    ----------
    environ : mapping of str to str
        Usually ``os.environ``; variables without the prefix are passed over.

    Raises
    ------
    SettingsError
        If a variable is unknown or malformed; names each of them and the remedy.
    """
    values: dict[str, str] = {}
    problems: list[str] = []
    for variable, text in sorted(environ.items()):
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        base = name.removesuffix("_file")
        if name.endswith("_file") and base in SECRET_SETTINGS:
            if variable.removesuffix("_FILE") in environ:
                problems.append(f"{variable}: {PREFIX}{base.upper()} is set as well; remove one of them")
                continue
            try:
                values[base] = Path(text).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                problems.append(
                    f"{variable}: cannot read the file it names ({reason}); correct the path or its rights"
                )
        elif name not in Settings.model_fields or variable != variable.upper():
            problems.append(f"{variable}: there is no such setting{_nearest(variable)}")
        elif not text.strip():
            problems.append(f"{variable}: is empty; give it a value, or remove it to use the default")
        else:
            values[name] = text.strip()
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            message = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else f"{detail['msg']}"
            variable = f"{PREFIX}{str(detail['loc'][0]).upper()}: " if detail["loc"] else ""
            problems.append(f"{variable}{message}{_remedy(detail['loc'])}")
        raise SettingsError(problems) from None
    if problems:
        raise SettingsError(problems)
    return settings


def _remedy(location: tuple[int | str, ...]) -> str:
    if not location:
        return ""
    field = Settings.model_fields[str(location[0])]
    default = "unset" if field.default is None else getattr(field.default, "value", field.default)
    return f" [{field.description} Default: {default}]"


def _nearest(variable: str) -> str:
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    known += [f"{PREFIX}{name.upper()}_FILE" for name in SECRET_SETTINGS]
    nearest = difflib.get_close_matches(variable.upper(), known, n=1, cutoff=0.0)
    return f"; did you mean {nearest[0]}? Otherwise remove it" if nearest else "; remove it"


def _parse_database_url(text: str) -> URL:
    # The text may carry a password, so no message quotes it.
    try:
        url = make_url(text)
    except ArgumentError:
        raise ValueError(
            "is not a database URL; write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        ) from None
    backend = "postgresql" if url.get_backend_name() == "postgres" else url.get_backend_name()
    if backend == "sqlite":
        if not url.database or url.database == ":memory:" or url.query.get("mode") == "memory":
            raise ValueError("names a database in memory, which workers cannot share; write sqlite:///FILE")
        return url.set(drivername="sqlite")
    if backend == "postgresql":
        try:
            import psycopg  # noqa: F401 - an optional part, needed only here
        except ImportError:
            raise ValueError(
                "needs the PostgreSQL driver; install it with: pip install 'psycopg[binary]'"
            ) from None
        return url.set(drivername="postgresql+psycopg")
    raise ValueError(f"names the database {backend!r}; only sqlite and postgresql are supported")


def _check_redis(text: str) -> None:
    # The text may carry a password, so no message quotes it.
    if not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("is not a Redis URL; write redis://HOST:PORT/NUMBER")
    try:
        import redis  # noqa: F401 - an optional part, needed only here
    except ImportError:
        raise ValueError("needs the Redis client; install it with: pip install redis") from None
