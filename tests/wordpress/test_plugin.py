"""Our WordPress plugin inside a real WordPress, with a stand-in service that can misbehave on purpose."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import requests
from selectolax.lexbor import LexborHTMLParser

from tests.wordpress.servers import free_port
from tests.wordpress.site import PLUGIN, Site, text_of
from tests.wordpress.stub import KEY, REASONS, Stub

pytestmark = pytest.mark.clients

SETTINGS = "wp-admin/options-general.php?page=replyguard"
SETTINGS_FORM = "input[name=replyguard_url]"


def save_settings(site: Site, url: str, key: str) -> LexborHTMLParser:
    values = {"replyguard_url": url, "replyguard_key": key}
    return LexborHTMLParser(site.submit(SETTINGS, SETTINGS_FORM, values).text)


@pytest.mark.skipif(shutil.which("php") is None, reason="needs the Debian package php-cli")
def test_the_plugin_is_valid_php() -> None:
    done = subprocess.run(["php", "-l", str(PLUGIN)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# -- the two settings


def test_settings_are_saved_and_tested_in_wp_admin(blog: Site, stub: Stub) -> None:
    blog.forget_settings()
    page = save_settings(blog, f" {stub.url}/ ", KEY.upper())
    assert "accepts the key" in text_of(page, "#replyguard-test")
    assert blog.php("return array( get_option( 'replyguard_url' ), get_option( 'replyguard_key' ) );") == [
        stub.url,
        KEY,
    ]
    assert blog.notices() == ""


def test_the_settings_page_is_for_those_who_manage_options(site: Site) -> None:
    with requests.Session() as stranger:
        page = stranger.get(f"{site.url}/{SETTINGS}", timeout=30)
        assert "loginform" in page.text
        fields = {"option_page": "replyguard", "action": "update", "replyguard_url": "http://evil.test"}
        stranger.post(f"{site.url}/wp-admin/options.php", data=fields, timeout=30)
    assert "evil" not in site.php("return get_option( 'replyguard_url' );")


def test_settings_are_not_saved_without_the_nonce(site: Site) -> None:
    fields = {"option_page": "replyguard", "action": "update", "replyguard_url": "http://evil.test"}
    site.browser.post(f"{site.url}/wp-admin/options.php", data=fields, timeout=30)
    assert "evil" not in site.php("return get_option( 'replyguard_url' );")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("replyguard.test", "must begin with https://"),
        ("ftp://replyguard.test", "must begin with https://"),
        ("https://", "has no host name"),
        ("https://ada:secret@replyguard.test", "user name or a password"),
        ("https://replyguard.test/?a=1", "must end before"),
        ("https://replyguard.test/#a", "must end before"),
        ("https://replyguard.test/1.1/comment-check", "Leave “/1.1”"),
        ("https://rest.akismet.com", "not akismet.com"),
        ('https://replyguard.test/"><script>', "holds a blank, a quote"),
    ],
)
def test_a_malformed_url_is_refused_with_its_reason(site: Site, stub: Stub, url: str, words: str) -> None:
    page = save_settings(site, url, KEY)
    errors = text_of(page, ".notice-error, .error")
    assert words in errors
    assert "old value was kept" in errors
    assert site.php("return get_option( 'replyguard_url' );") == stub.url


@pytest.mark.parametrize("key", ["0123456789a", "0123456789abc", "0123456789xy"])
def test_a_malformed_key_is_refused_with_its_reason(site: Site, stub: Stub, key: str) -> None:
    page = save_settings(site, stub.url, key)
    assert "12 characters" in text_of(page, ".notice-error, .error")
    assert site.php("return get_option( 'replyguard_key' );") == KEY


def test_the_connection_test_tells_a_wrong_key_from_a_wrong_address(site: Site, stub: Stub) -> None:
    assert "refuses the key" in text_of(save_settings(site, stub.url, "ffffffffffff"), "#replyguard-test")
    nobody = f"http://127.0.0.1:{free_port()}"
    assert "not reachable" in text_of(save_settings(site, nobody, KEY), "#replyguard-test")
    stub.mode = "stranger"
    assert "not as Replyguard does" in text_of(save_settings(site, stub.url, KEY), "#replyguard-test")


def test_constants_decide_and_lock_the_form(site: Site, stub: Stub) -> None:
    site.option("replyguard_url", "http://127.0.0.1:9")
    site.option("replyguard_key", "ffffffffffff")
    site.configure(
        f"define( 'REPLYGUARD_URL', '{stub.url}/' ); define( 'REPLYGUARD_KEY', '{KEY}' ); "
        "define( 'REPLYGUARD_PUBLIC_URL', 'https://spam.garden.test/' );"
    )
    try:
        page = site.get(SETTINGS)
        for name in ("replyguard_url", "replyguard_key"):
            field = page.css_first(f"input[name={name}]")
            assert field is not None
            assert "disabled" in field.attributes
        assert site.get("?p=1").css_first("a[href='https://spam.garden.test/privacy']") is not None
        assert site.status(site.comment("Buy now", "spammer")) == "spam"
        # saving the locked form leaves what the database holds
        site.submit(SETTINGS, SETTINGS_FORM, {})
        assert site.php("return get_option( 'replyguard_key' );") == "ffffffffffff"
    finally:
        site.configure()


def test_a_malformed_constant_holds_comments_instead_of_asking_akismet_com(site: Site, stub: Stub) -> None:
    site.configure("define( 'REPLYGUARD_URL', 'replyguard.test' );")
    try:
        assert site.status(site.comment("Thank you for the seedlings")) == "unapproved"
        assert "REPLYGUARD_URL is wrong" in site.notices()
    finally:
        site.configure()
    assert stub.received == []


# -- beside the Akismet plugin


def test_without_a_url_nothing_is_touched_and_a_notice_says_so(blog: Site, stub: Stub) -> None:
    blog.forget_settings()
    assert "no service URL" in blog.notices()
    assert not blog.php("return Akismet::get_api_key();")
    blog.comment("A quiet day")
    assert stub.received == []


def test_without_a_key_a_notice_says_so(site: Site) -> None:
    site.option("replyguard_key", "")
    assert "no key" in site.notices()


def test_a_key_entered_in_akismets_own_form_is_verified_by_us(site: Site, stub: Stub) -> None:
    site.option("replyguard_key", "")
    site.submit(
        "wp-admin/options-general.php?page=akismet-key-config",
        "input[name=action][value=enter-key]",
        {"key": KEY},
    )
    assert site.php("return get_option( 'wordpress_api_key' );") == KEY
    assert [call.fields["key"] for call in stub.calls("verify-key")] == [KEY]
    assert stub.calls("get-subscription")
    assert site.status(site.comment("Buy now", "spammer")) == "spam"


def test_our_key_leaves_the_one_stored_by_akismet_alone(site: Site, stub: Stub) -> None:
    site.option("wordpress_api_key", "aaaaaaaaaaaa")
    site.comment("Thank you")
    assert stub.calls("comment-check")[-1].fields["api_key"] == KEY
    assert site.php("return get_option( 'wordpress_api_key' );") == "aaaaaaaaaaaa"


def test_requests_arrive_whole_and_under_the_services_own_host_name(site: Site, stub: Stub) -> None:
    site.comment("The part on seedlings helped, thank you — 種 & <em>more</em>")
    check = stub.calls("comment-check")[-1]
    assert check.headers["host"] == stub.url.removeprefix("http://")
    assert "Akismet/" in check.headers["user-agent"]
    assert check.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert check.fields["comment_content"] == "The part on seedlings helped, thank you — 種 & <em>more</em>"
    assert check.fields["blog"] == site.url
    assert check.fields["POST_ak_hp_textarea"] == ""


def test_a_path_in_front_of_the_service_is_kept(site: Site, stub: Stub) -> None:
    site.option("replyguard_url", f"{stub.url}/spam/filter")
    site.comment("Thank you")
    assert stub.received[-1].path == "/spam/filter/1.1/comment-check"


def test_a_key_in_the_host_name_moves_into_the_body(site: Site, stub: Stub) -> None:
    site.php(
        "$text = array( 'body' => 'blog=x' ); $list = array( 'body' => array( 'a' => '1' ) ); "
        "wp_remote_post( 'https://ABCDEF012345.rest.akismet.com/1.1/verify-key', $text ); "
        "wp_remote_post( 'https://abcdef012345.rest.akismet.com/1.1/test', $list ); "
        "wp_remote_get( 'http://rest.akismet.com:80/1.1/test?x=1' ); return 1;"
    )
    assert [(call.path, call.fields) for call in stub.received] == [
        ("/1.1/verify-key", {"blog": "x", "api_key": "ABCDEF012345"}),
        ("/1.1/test", {"a": "1", "api_key": "abcdef012345"}),
        ("/1.1/test?x=1", {}),
    ]


@pytest.mark.parametrize(
    "url", ["https://example.test/", "https://rest.akismet.com.example.test/", "https://akismet.com/"]
)
def test_other_hosts_are_left_alone(site: Site, stub: Stub, url: str) -> None:
    site.php(f"wp_remote_get( '{url}', array( 'timeout' => 1 ) ); return 1;")
    assert stub.received == []


def test_a_missing_akismet_plugin_is_reported(site: Site) -> None:
    site.deactivate_akismet()
    try:
        assert "not active" in site.notices()
    finally:
        site.activate_akismet()
    assert site.notices() == ""


def test_it_works_as_an_ordinary_plugin_and_leaves_nothing_when_deleted(site: Site) -> None:
    site.install_plugin(as_must_use=False)
    try:
        site.follow("wp-admin/plugins.php", "tr[data-plugin='replyguard.php'] .activate a")
        comment = site.comment("Buy now", "spammer")
        assert site.status(comment) == "spam"
        # a second copy beside it does no harm
        shutil.copy(PLUGIN, site.root / "wp-content" / "mu-plugins" / PLUGIN.name)
        assert site.status(site.comment("Buy more", "spammer")) == "spam"
        (site.root / "wp-content" / "mu-plugins" / PLUGIN.name).unlink()
        left = site.php(
            "require_once ABSPATH . 'wp-admin/includes/plugin.php'; "
            "deactivate_plugins( 'replyguard.php' ); uninstall_plugin( 'replyguard.php' ); "
            'return $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->options '
            "WHERE option_name LIKE 'replyguard%'\" );"
        )
        assert left == "0"
        assert site.meta(comment, "replyguard_verdict") == ""
    finally:
        site.install_plugin()
        site.get("wp-admin/plugins.php")  # WordPress notices here that the ordinary copy is gone


# -- verdicts


def test_spam_is_caught_and_ham_is_published(site: Site) -> None:
    assert site.status(site.comment("Buy now", "spammer")) == "spam"
    assert site.status(site.comment("Thank you for the seedlings")) == "approved"


@pytest.mark.parametrize("mode", ["no-guid", "two-guids"])
def test_a_proxy_that_drops_or_doubles_the_guid_does_not_cost_the_verdict(
    site: Site, stub: Stub, mode: str
) -> None:
    stub.mode = mode
    assert site.status(site.comment("Buy now", "spammer")) == "spam"
    assert site.status(site.comment("Thank you")) == "approved"


def test_score_and_reasons_stand_in_the_comments_list(site: Site) -> None:
    spam = site.comment("Buy now", "spammer")
    ham = site.comment("Thank you for the seedlings")
    row = site.get("wp-admin/edit-comments.php?comment_status=spam").css_first(f"#comment-{spam}")
    assert row is not None
    cell = row.css_first("td.column-replyguard")
    assert cell is not None
    assert "Spam" in cell.text()
    assert "98.8 %" in cell.text()
    reasons = [item.text() for item in cell.css("li")]
    assert reasons == ["<b>cheap</b> \\ café +2.1", "shop.test/?a=%41 +0.7", "\\u200b 💊 -0.3"]
    row = site.get("wp-admin/edit-comments.php").css_first(f"#comment-{ham} td.column-replyguard")
    assert row is not None
    assert "Ham 1.2 %" in row.text()


def test_a_comment_by_the_rest_interface_is_scored_like_any_other(site: Site, stub: Stub) -> None:
    spam, ham = (site.comment_by_rest("By another road", author) for author in ("spammer", "Ada"))
    assert [site.status(spam), site.status(ham)] == ["spam", "approved"]
    for comment, verdict in ((spam, "spam"), (ham, "ham")):
        meta = site.meta(comment, "replyguard_verdict")
        assert meta["verdict"] == verdict
        assert meta["reasons"] == REASONS


# -- privacy


def test_our_privacy_line_stands_under_the_form(site: Site, stub: Stub) -> None:
    line = site.get("?p=1").css_first("p.akismet_comment_form_privacy_notice")
    assert line is not None
    assert line.text() == (
        "This site uses Replyguard to reduce spam. Learn how your comment data is processed."
    )
    link = line.css_first("a")
    assert link is not None
    assert link.attributes["href"] == f"{stub.url}/privacy"


def test_akismets_own_setting_hides_the_line_and_our_page_says_so(site: Site) -> None:
    assert "Visitors see it" in text_of(site.get(SETTINGS), ".wrap")
    site.option("akismet_comment_form_privacy_notice", "hide")
    try:
        assert site.get("?p=1").css_first("p.akismet_comment_form_privacy_notice") is None
        assert "Visitors do not see it" in text_of(site.get(SETTINGS), ".wrap")
    finally:
        site.option("akismet_comment_form_privacy_notice", "display")


def test_the_policy_guide_offers_a_paragraph(site: Site, stub: Stub) -> None:
    guide = site.get("wp-admin/options-privacy.php?tab=policyguide")
    assert f"{stub.url}/privacy" in text_of(guide, ".policy-text, .privacy-settings-accordion-panel")


def test_no_pictures_of_commenters_sites_are_ordered(site: Site) -> None:
    assert site.php("return apply_filters( 'akismet_enable_mshots', true );") is False


@pytest.mark.parametrize("view", ["", "&view=stats"])
def test_akismets_pages_open_but_call_nobody_outside(site: Site, stub: Stub, view: str) -> None:
    answer = site.browser.get(
        f"{site.url}/wp-admin/options-general.php?page=akismet-key-config{view}", timeout=30
    )
    assert answer.status_code == 200
    assert "frame-src 'self'" in answer.headers["Content-Security-Policy"]
    page = LexborHTMLParser(answer.text)
    assert page.css_first("#akismet-plugin-container") is not None
    assert "switched off" in text_of(page, ".replyguard-notice")


def test_akismets_pages_are_left_alone_without_a_service_url(blog: Site) -> None:
    blog.forget_settings()
    answer = blog.browser.get(f"{blog.url}/wp-admin/options-general.php?page=akismet-key-config", timeout=30)
    assert "frame-src" not in answer.headers.get("Content-Security-Policy", "")
