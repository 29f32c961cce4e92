from __future__ import annotations

import math
from pathlib import Path

import pytest

from service.settings import SECRET_SETTINGS, Settings, SettingsError, UnsureAnswer, load_settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


def problems(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings({f"REPLYGUARD_{name}": value for name, value in environ.items()})
    return "\n".join(caught.value.problems)


def test_nothing_set_gives_the_defaults() -> None:
    settings = load_settings({"HOME": "/home/alice", "PATH": "/bin"})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.workers) == ("127.0.0.1", 8080, 2)
    assert str(settings.sqlalchemy_url) == "sqlite:///var/replyguard.db"


def test_everything_can_be_set() -> None:
    settings = load_settings(
        {
            "REPLYGUARD_DATA_DIR": "/srv/replyguard",
            "REPLYGUARD_PORT": "81",
            "REPLYGUARD_UNSURE": "hold",
            "REPLYGUARD_SPAM_FROM": "0.8",
            "REPLYGUARD_DISCARD_FROM": "never",
            "REPLYGUARD_DATABASE_TIMEOUT_S": "0.25",
            "REPLYGUARD_LOG_FORMAT": "json",
        }
    )
    assert (settings.data_dir, settings.port, settings.unsure) == (
        Path("/srv/replyguard"),
        81,
        UnsureAnswer.HOLD,
    )
    assert (settings.spam_from, settings.discard_from) == (0.8, math.inf)
    assert settings.models_dir == Path("/srv/replyguard/models")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("WORKERS", "0"),
        ("THREADS", "1.5"),
        ("MAX_BODY_BYTES", "10"),
        ("DATABASE_TIMEOUT_S", "0"),
        ("DATABASE_TIMEOUT_S", "nan"),
        ("UNSURE", "maybe"),
        ("SPAM_FROM", "1.5"),
        ("SPAM_FROM", "-0.1"),
        ("UNSURE_FROM", "nan"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("DATA_DIR", ""),
        ("SECRET", "short"),
        ("DATABASE_URL", "not a url"),
        ("DATABASE_URL", "mysql://localhost/x"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
    ],
)
def test_a_malformed_value_is_refused_by_name(name: str, value: str) -> None:
    assert f"REPLYGUARD_{name}: " in problems(**{name: value})


def test_every_problem_is_told_at_once() -> None:
    told = problems(PORT="x", WORKERS="y", COLOUR="blue")
    assert all(name in told for name in ("REPLYGUARD_PORT", "REPLYGUARD_WORKERS", "REPLYGUARD_COLOUR"))


def test_an_unknown_variable_is_refused_with_the_nearest_known_name() -> None:
    assert "did you mean REPLYGUARD_DATA_DIR?" in problems(DATADIR="/srv")
    assert "did you mean REPLYGUARD_PORT?" in problems(port="80")


def test_cut_offs_out_of_order_are_refused() -> None:
    assert "REPLYGUARD_UNSURE_FROM (0.9) is above REPLYGUARD_SPAM_FROM (0.5)" in problems(
        UNSURE_FROM="0.9", SPAM_FROM="0.5"
    )


def test_no_message_quotes_a_secret() -> None:
    told = problems(DATABASE_URL="mysql://alice:hunter2@db/x", SECRET="hunter2", PORT="hunter2")
    assert "hunter2" not in told
    settings = load_settings({"REPLYGUARD_DATABASE_URL": "postgresql://alice:hunter2@db/x"})
    assert "hunter2" not in repr(settings)
    assert settings.sqlalchemy_url.password == "hunter2"


def test_a_secret_can_be_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text("postgres://alice:hunter2@db/x\n")
    settings = load_settings({"REPLYGUARD_DATABASE_URL_FILE": str(file)})
    assert settings.sqlalchemy_url.drivername == "postgresql+psycopg"
    assert "REPLYGUARD_DATABASE_URL_FILE: cannot read" in problems(DATABASE_URL_FILE=str(tmp_path / "none"))
    assert "is set as well" in problems(DATABASE_URL_FILE=str(file), DATABASE_URL="sqlite:///x")
    assert "there is no such setting" in problems(PORT_FILE=str(file))


def test_each_line_of_a_secret_is_long_enough() -> None:
    lines = "a" * 40 + "\n" + "b" * 32
    given = load_settings({"REPLYGUARD_SECRET": lines}).secret
    assert given is not None
    assert given.get_secret_value() == lines
    assert "is shorter than 32 characters" in problems(SECRET="a" * 40 + "\nb")


def test_each_setting_is_described_in_the_documentation() -> None:
    described = {
        cells[1].strip("` "): (cells[2].strip("` "), cells[3].strip())
        for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `REPLYGUARD_") and len(cells := line.split("|")) == 5
    }
    expected = {}
    for name, field in Settings.model_fields.items():
        default = "unset" if field.default is None else str(getattr(field.default, "value", field.default))
        expected[f"REPLYGUARD_{name.upper()}"] = (default, field.description)
    assert described == expected
    for name in SECRET_SETTINGS:
        assert f"`REPLYGUARD_{name.upper()}_FILE`" in DOCUMENT.read_text(encoding="utf-8")
