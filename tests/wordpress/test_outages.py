"""Comments that have to wait: because the service is unsure, or because it cannot be asked."""

from __future__ import annotations

import pytest

from tests.wordpress.servers import free_port
from tests.wordpress.site import Site, text_of
from tests.wordpress.stub import Stub

pytestmark = pytest.mark.clients

SETTINGS = "wp-admin/options-general.php?page=replyguard"


# -- unsure: a verdict, but one that leaves the comment to a person


def test_an_unsure_comment_waits_for_a_person_and_is_no_failure(site: Site, stub: Stub) -> None:
    stub.mode = "unsure"
    comment = site.comment("Nice post, see my page")
    assert site.status(comment) == "unapproved"
    assert site.notices() == ""
    assert site.meta(comment, "replyguard_verdict")["verdict"] == "unsure"
    row = site.get("wp-admin/edit-comments.php?comment_status=moderated").css_first(f"#comment-{comment}")
    assert row is not None
    assert "Unsure 50.0 %" in row.text()


def test_an_unsure_comment_by_the_rest_interface_waits_too(site: Site, stub: Stub) -> None:
    stub.mode = "unsure"
    assert site.status(site.comment_by_rest("By another road", "Bea")) == "unapproved"


def test_moderators_are_told_about_an_unsure_comment_at_once(site: Site, stub: Stub) -> None:
    site.option("moderation_notify", "1")
    stub.mode = "unsure"
    unsure = site.comment("Nice post, see my page")
    stub.mode = "empty"
    unchecked = site.comment("Nice post, see my other page")
    mails = site.php("return get_option( 'test_rig_mails', array() );")
    assert any(f"c={unsure}#" in mail for mail in mails)
    assert not any(f"c={unchecked}#" in mail for mail in mails)


def test_an_unsure_comment_does_not_keep_others_from_being_checked_again(site: Site, stub: Stub) -> None:
    site.php("delete_metadata( 'comment', 0, 'akismet_error', '', true ); return 1;")
    stub.mode = "html-502"
    first, second = (site.comment(f"Held in an outage: {number}") for number in (1, 2))
    stub.mode = "unsure"
    site.php("Akismet::cron_recheck(); return 1;")
    assert site.status(first) == "unapproved"
    assert site.php("return wp_next_scheduled( 'akismet_schedule_cron_recheck' ) - time();") <= 0
    stub.mode = "judge"
    site.php("Akismet::cron_recheck(); return 1;")
    assert [site.status(first), site.status(second)] == ["unapproved", "approved"]


# -- outages


@pytest.mark.parametrize("mode", Stub.FAILURES)
def test_whatever_is_not_a_verdict_holds_the_comment(site: Site, stub: Stub, mode: str) -> None:
    stub.mode = mode
    comment = site.comment(f"Thank you, whatever happens: {mode}")
    assert site.status(comment) == "unapproved"
    assert site.meta(comment, "akismet_error") != ""
    assert "could not be asked" in site.notices()
    assert "<b>" not in site.notices()


def test_an_unreachable_service_holds_the_comment_until_it_is_back(site: Site, stub: Stub) -> None:
    site.option("replyguard_url", f"http://127.0.0.1:{free_port()}")
    polite = site.comment("Thank you for the seedlings, I will try them")
    rude = site.comment("Buy now, buy here", "spammer")
    assert [site.status(polite), site.status(rude)] == ["unapproved", "unapproved"]
    assert "not reachable" in site.notices()
    page = site.get(f"wp-admin/comment.php?action=editcomment&c={polite}")
    assert "Replyguard was not reachable" in text_of(page, "body")

    site.option("replyguard_url", stub.url)
    site.php("Akismet::cron_recheck(); return 1;")
    assert [site.status(polite), site.status(rude)] == ["approved", "spam"]
    assert site.notices() == ""
    assert site.meta(polite, "replyguard_verdict")["verdict"] == "ham"


def test_a_rest_comment_waits_in_an_outage_too(site: Site, stub: Stub) -> None:
    stub.mode = "html-502"
    assert site.status(site.comment_by_rest("By another road", "Bea")) == "unapproved"


def test_a_moderators_own_reply_is_published_in_an_outage(site: Site, stub: Stub) -> None:
    stub.mode = "html-502"
    site.submit("?p=1", "form#commentform", {"comment": "The keeper says: we are looking into it"})
    newest = site.php(
        "return (int) get_comments( array( 'number' => 1, 'status' => 'any' ) )[0]->comment_ID;"
    )
    assert site.status(newest) == "approved"


def test_the_notice_goes_when_the_connection_test_succeeds(site: Site, stub: Stub) -> None:
    stub.mode = "empty"
    site.comment("Thank you")
    assert "could not be asked" in site.notices()
    page = site.follow(SETTINGS, "a[href*='replyguard-test=1']")
    assert "accepts the key" in text_of(page, "#replyguard-test")
    assert site.notices() == ""
