import pytest

from training.datasets import read_licences
from training.sources import CatalogueError, read_catalogue

ENTRY = '[[source]]\nname = "a"\nkind = "sms"\nlicence = "CC0"\n'
FILE = '[[source.files]]\nurl = "https://files.example.org/a.zip"\nabout_bytes = 10\n'


def test_openly_licensed_sources_have_an_address_and_the_others_a_reason():
    sources = read_catalogue()
    assert {name for name, source in sources.items() if source.files} >= {
        "youtube-uci",
        "sms-uci",
        "email-spamassassin",
    }
    for source in sources.values():
        assert bool(source.files) != bool(source.reason)
        if "not stated" in source.licence:
            assert not source.files


def test_a_fit_takes_licences_from_the_catalogue_and_first_from_the_folder(tmp_path):
    assert read_licences(tmp_path)["sms-uci"] == "CC BY 4.0"
    (tmp_path / "README.md").write_text("| source | licence |\n|---|---|\n| sms-uci | asked for |\n")
    assert read_licences(tmp_path)["sms-uci"] == "asked for"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[source]]\nname = 'a'", "source 1: .*kind"),
        (ENTRY, "either 'files' or the 'reason'"),
        (ENTRY + 'reason = "r"\n' + FILE, "either 'files' or the 'reason'"),
        (ENTRY + FILE, "'convert' is missing"),
        (ENTRY.replace('"a"', '"../a"') + 'reason = "r"', "'name' must be"),
        ((ENTRY + 'reason = "r"\n') * 2, "listed twice"),
        (ENTRY + 'convert = "lines"\n' + FILE + 'sha256 = "beef"', "'sha256' of .* 64 hex"),
        (ENTRY + 'convert = "lines"\n' + FILE + 'label = "egg"', "'label' of .* spam or ham"),
        (ENTRY + 'convert = "lines"\n' + FILE.replace("10", "0"), "'about_bytes'"),
        (ENTRY + 'convert = "lines"\n' + FILE.replace("a.zip", ""), "names no file"),
        (ENTRY + 'convert = "lines"\n' + FILE + "sice = 3", "sice"),
        ("[[source", "corpora.toml"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, text, problem):
    path = tmp_path / "corpora.toml"
    path.write_text(text)
    with pytest.raises(CatalogueError, match=problem):
        read_catalogue(path)
