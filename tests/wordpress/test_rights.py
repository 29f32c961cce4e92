"""WordPress's own tools for personal data, with our part in them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.wordpress.servers import free_port
from tests.wordpress.site import Site
from tests.wordpress.stub import KEY, Stub

pytestmark = pytest.mark.clients

ADA = "ada@visitor.test"


def ask(site: Site, what: str, page: int = 1, email: str = ADA) -> Any:
    """Call our exporter or eraser as WordPress does; of an error its message."""
    return site.php(
        f"$all = apply_filters( 'wp_privacy_personal_data_{what}', array() ); "
        f"$told = call_user_func( $all['replyguard']['callback'], {json.dumps(email)}, {page} ); "
        "return is_wp_error( $told ) ? $told->get_error_message() : $told;"
    )


def test_the_export_names_each_value_and_comes_in_pages(site: Site, stub: Stub) -> None:
    first = {
        "guid": "0",
        "body": '<a href="http://shop.test">buy</a>',
        "email_hash": True,
        "url": "",
        "tags": [],
    }
    stub.people[ADA] = [first, *({"guid": str(n), "body": f"number {n}"} for n in range(1, 150))]
    told = ask(site, "exporters")
    assert (len(told["data"]), told["done"]) == (100, False)
    [body, email] = told["data"][0]["data"][1:]
    assert (body["name"], email) == (
        "the text of the comment",
        {"name": "the e-mail address", "value": "yes"},
    )
    assert body["value"].startswith("&lt;a ")
    rest = ask(site, "exporters", page=2)
    assert (len(rest["data"]), rest["done"]) == (50, True)
    assert len({item["item_id"] for item in told["data"] + rest["data"]}) == 150
    [asked, *_] = stub.calls("export")
    assert asked.fields == {"email": ADA, "site": site.php("return get_option( 'home' );")}
    assert asked.headers["authorization"] == f"Bearer {KEY}"


def test_of_a_stranger_there_is_nothing(site: Site) -> None:
    assert ask(site, "exporters", email="nobody@visitor.test") == {"data": [], "done": True}
    told = ask(site, "erasers", email="nobody@visitor.test")
    assert (told["items_removed"], told["done"], told["messages"]) == (False, True, [])


def test_an_erasure_takes_the_verdicts_kept_here_along(site: Site, stub: Stub) -> None:
    email = "erase@visitor.test"
    mine = site.comment("The part about tyres helped.", email=email)
    others = site.comment("It helped me too.", author="Bea", email="bea@visitor.test")
    assert site.meta(mine, "replyguard_verdict")
    stub.people[email] = [{"guid": "1"}]
    told = ask(site, "erasers", email=email)
    assert (told["items_removed"], told["items_retained"], told["done"]) == (True, False, True)
    assert "receipt" in told["messages"][0]
    assert email not in stub.people
    assert not site.meta(mine, "replyguard_verdict")
    assert site.meta(others, "replyguard_verdict")


def test_ours_runs_before_wordpress_makes_comments_nobodys(site: Site) -> None:
    names = site.php("return array_keys( apply_filters( 'wp_privacy_personal_data_erasers', array() ) );")
    assert names.index("replyguard") < names.index("wordpress-comments")


def test_a_failure_stops_the_tool_and_says_what_to_do(site: Site, stub: Stub) -> None:
    stub.mode = "stranger"
    assert "upgrade the service" in ask(site, "exporters")
    stub.mode = "judge"
    site.option("replyguard_key", "ffffffffffff")
    assert "unknown or revoked" in ask(site, "erasers")
    site.option("replyguard_key", "")
    assert "12 characters" in ask(site, "erasers")
    site.option("replyguard_key", KEY)
    site.option("replyguard_url", f"http://127.0.0.1:{free_port()}")
    assert "not reachable" in ask(site, "exporters")
    site.option("replyguard_url", "")
    names = site.php("return array_keys( apply_filters( 'wp_privacy_personal_data_exporters', array() ) );")
    assert "replyguard" not in names
