import pytest

from service.privacy import kept_items
from service.schema import checks, company_marks, feedback, list_entries

# Numbers that tie rows together; they say nothing about a commenter.
TIES = {"id", "key_id", "site_id", "check_id", "superseded_by"}


@pytest.mark.parametrize(
    "table", [checks, company_marks, feedback, list_entries], ids=lambda table: table.name
)
def test_every_column_is_told_of(table):
    untold = [column.name for column in table.columns if "notice" not in column.info]
    assert set(untold) <= TIES


def test_the_notice_lists_what_is_kept(client):
    answer = client.get("/privacy")
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    names = ("checks", "company_marks", "feedback", "list_entries")
    for item in (item for name in names for item in kept_items(name)):
        assert item.replace("'", "&#39;") in page
