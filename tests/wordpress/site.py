"""A throw-away WordPress on loopback, driven through its own forms.

It is built from installed or unpacked Debian packages: WordPress itself, the PHP command line and MariaDB.
It opens no connection beyond loopback, and knows nothing about verdicts.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests
from selectolax.lexbor import LexborHTMLParser, LexborNode

from tests.wordpress.servers import Database, free_port, wait_for_port

REPOSITORY = Path(__file__).resolve().parents[2]
PLUGIN = REPOSITORY / "integrations" / "wordpress" / "replyguard.php"
ADMIN = "keeper"
PASSWORD = "a long made-up passphrase"

# A theme of our own: Debian ships themes in packages of their own, and block themes differ by version.
THEME = {
    "style.css": "/*\nTheme Name: Plain\n*/\nbody{font:18px/1.5 sans-serif;max-width:40em;margin:2em auto}",
    "index.php": (
        "<!doctype html><html <?php language_attributes(); ?>><head><?php wp_head(); ?></head><body>"
        "<?php while ( have_posts() ) : the_post(); ?><h1><?php the_title(); ?></h1><?php the_content(); ?>"
        "<?php if ( is_singular() ) { comments_template(); } endwhile; wp_footer(); ?></body></html>"
    ),
    "comments.php": "<ol><?php wp_list_comments(); ?></ol><?php comment_form(); ?>",
}

# What only a test site wants: no mail, and as many comments a second, and as alike, as the test posts.
RIG = """<?php
add_filter( 'comment_flood_filter', '__return_false', 99 );
add_filter( 'wp_is_comment_flood', '__return_false', 99 );
add_filter( 'duplicate_comment_id', '__return_zero', 99 );
add_filter( 'pre_wp_mail', function ( $sent, $mail ) {
    $mails = get_option( 'test_rig_mails', array() );
    update_option( 'test_rig_mails', array_merge( $mails, array( $mail['message'] ) ) );
    return true;
}, 10, 2 );
add_filter( 'rest_allow_anonymous_comments', '__return_true' );
"""

CONFIG = """<?php
define( 'DB_NAME', 'wordpress' );
define( 'DB_USER', 'root' );
define( 'DB_PASSWORD', '' );
define( 'DB_HOST', 'localhost:{socket}' );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );
define( 'WP_HOME', '{url}' );
define( 'WP_SITEURL', '{url}' );
define( 'WP_DEBUG', true );
define( 'WP_DEBUG_DISPLAY', false );
define( 'WP_DEBUG_LOG', '{log}' );
define( 'DISABLE_WP_CRON', true );
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
foreach ( array( 'AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE' ) as $name ) {{
    define( $name . '_KEY', 'only for a test: ' . $name );
    define( $name . '_SALT', 'salt only for a test: ' . $name );
}}
$table_prefix = 'wp_';
{extra}
defined( 'ABSPATH' ) || define( 'ABSPATH', __DIR__ . '/' );
require_once ABSPATH . 'wp-settings.php';
"""


class Site:
    """One WordPress with one version of the Akismet plugin and ours beside it.

    Parameters
    ----------
    folder : Path
        An empty folder that the site may fill.
    core : Path
        WordPress as Debian packs it (/usr/share/wordpress), with an Akismet plugin.
    database : Database
        A running server.
    extra_config : str, optional
        PHP for wp-config.php, such as constants.
    """

    def __init__(self, folder: Path, core: Path, database: Database, extra_config: str = "") -> None:
        self.root = folder / "site"
        self.log = folder / "debug.log"
        self.php_log = folder / "php.log"
        self._compiled = folder / "compiled"
        self._compiled.mkdir()
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._database = database
        self._config_date = int(time.time()) - 10_000
        shutil.copytree(
            core,
            self.root,
            ignore=shutil.ignore_patterns(".htaccess"),
            ignore_dangling_symlinks=True,
        )
        content = self.root / "wp-content"
        shutil.rmtree(content / "languages", ignore_errors=True)
        self.akismet = akismet_version(core)
        theme = content / "themes" / "plain"
        theme.mkdir(parents=True)
        for name, text in THEME.items():
            (theme / name).write_text(text)
        (content / "mu-plugins").mkdir()
        (content / "mu-plugins" / "test-rig.php").write_text(RIG)
        self.install_plugin()
        self.configure(extra_config)
        database.create("wordpress")
        self.browser = requests.Session()
        environment = {**os.environ, "PHP_CLI_SERVER_WORKERS": "3"}
        with self.php_log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *("php", "-d", "opcache.revalidate_freq=0"),
                    *("-S", f"127.0.0.1:{self._port}", "-t", str(self.root)),
                ],
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        try:
            wait_for_port(self._port, self._process, "php -S")
            self._install()
        except BaseException:
            self.close()
            raise

    def configure(self, extra: str = "") -> None:
        """Write wp-config.php, with further PHP such as constants."""
        text = CONFIG.format(socket=self._database.socket, url=self.url, log=self.log, extra=extra)
        config = self.root / "wp-config.php"
        config.write_text(text)
        # PHP caches compiled files by the second of their date
        self._config_date += 1
        os.utime(config, (self._config_date, self._config_date))

    def install_plugin(self, *, as_must_use: bool = True) -> None:
        """Put our plugin where a must-use plugin, or an ordinary one, belongs."""
        content = self.root / "wp-content"
        places = [content / "plugins" / PLUGIN.name, content / "mu-plugins" / PLUGIN.name]
        for place in places:
            place.unlink(missing_ok=True)
        shutil.copy(PLUGIN, places[as_must_use])

    def close(self) -> None:
        os.killpg(self._process.pid, 15)
        self._process.wait(timeout=15)

    # -- the browser

    def get(self, path: str) -> LexborHTMLParser:
        response = self.browser.get(urljoin(self.url + "/", path), timeout=60)
        response.raise_for_status()
        return LexborHTMLParser(response.text)

    def submit(
        self, path: str, selector: str, values: dict[str, str], *, browser: requests.Session | None = None
    ) -> requests.Response:
        """Open a page, fill in the form that `selector` finds, and send it as a browser does.

        Parameters
        ----------
        path : str
            The page.
        selector : str
            CSS selector of the form, or of something inside it.
        values : dict of str to str
            What to type in; all other fields keep what the page gave them.
        browser : requests.Session, optional
            Whose cookies to send; the site's keeper by default.

        Returns
        -------
        requests.Response
            The page that came back, after redirects.
        """
        browser = browser or self.browser
        page_url = urljoin(self.url + "/", path)
        page = LexborHTMLParser(browser.get(page_url, timeout=60).text)
        form: LexborNode | None = page.css_first(selector)
        while form is not None and form.tag != "form":
            form = form.parent
        if form is None:
            raise AssertionError(f"no form {selector!r} on {path}")
        fields = {**fields_of(form), **values}
        action = urljoin(page_url, form.attributes.get("action") or page_url)
        return browser.post(action, data=fields, timeout=60)

    def follow(self, path: str, selector: str) -> LexborHTMLParser:
        """Open a page and click a link on it."""
        link = self.get(path).css_first(selector)
        if link is None:
            raise AssertionError(f"no link {selector!r} on {path}")
        return self.get(urljoin(f"{self.url}/{path}", link.attributes["href"] or ""))

    def activate_akismet(self) -> None:
        self.follow("wp-admin/plugins.php", "tr[data-plugin='akismet/akismet.php'] .activate a")

    def deactivate_akismet(self) -> None:
        self.follow("wp-admin/plugins.php", "tr[data-plugin='akismet/akismet.php'] .deactivate a")

    def notices(self, path: str = "wp-admin/index.php") -> str:
        """Text of our notices on a page of wp-admin."""
        return "\n".join(node.text(strip=True) for node in self.get(path).css(".replyguard-notice"))

    # -- a visitor

    def comment(self, text: str, author: str = "Ada Visitor", email: str = "ada@visitor.test") -> int:
        """Post a comment through the form under the first post; its number, or 0 if it was thrown away."""
        values = {"comment": text, "author": author, "email": email, "url": ""}
        with requests.Session() as visitor:
            visitor.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) Made-up/1.0"
            response = self.submit("?p=1", "form#commentform", values, browser=visitor)
        if response.status_code != 200:
            raise AssertionError(f"the comment form answered {response.status_code}: {response.text[:500]}")
        # WordPress leads back to the comment, even to one in the spam queue; Akismet's discard does not
        number = re.search(r"#comment-(\d+)$", response.url)
        return int(number.group(1)) if number else 0

    def comment_by_rest(self, text: str, author: str) -> int:
        """Post a comment through WordPress's REST interface; its number."""
        fields = {"post": "1", "content": text, "author_name": author, "author_email": "ada@visitor.test"}
        answer = requests.post(f"{self.url}/?rest_route=/wp/v2/comments", data=fields, timeout=60)
        if answer.status_code != 201:
            raise AssertionError(f"the REST interface answered {answer.status_code}: {answer.text[:500]}")
        return int(answer.json()["id"])

    # -- under the bonnet

    def php(self, code: str) -> Any:
        """Run PHP inside WordPress; what it returns."""
        script = (
            f"$_SERVER['HTTP_HOST'] = '127.0.0.1:{self._port}'; $_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1'; "
            f"$_SERVER['REQUEST_URI'] = '/'; require {json.dumps(str(self.root / 'wp-load.php'))}; "
            f'$result = ( function () {{ global $wpdb; {code} }} )(); echo "\\n@@", json_encode( $result );'
        )
        # compiling WordPress anew would take most of the time
        cached = ("opcache.enable_cli=1", "opcache.file_cache_only=1", f"opcache.file_cache={self._compiled}")
        options = [part for setting in cached for part in ("-d", setting)]
        command = ["php", *options, "-r", script]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0 or "@@" not in done.stdout:
            raise AssertionError(f"PHP failed: {done.stdout[-2000:]} {done.stderr[-2000:]}")
        return json.loads(done.stdout.rpartition("@@")[2])

    def option(self, name: str, value: str) -> None:
        self.php(f"update_option( {json.dumps(name)}, {json.dumps(value)} ); return 1;")

    def forget_settings(self, *, url: str = "", key: str = "") -> None:
        """As if our plugin had just been dropped in, or its two settings just been made."""
        names = "'replyguard_url', 'replyguard_key', 'replyguard_failure', 'wordpress_api_key'"
        settings = {"replyguard_url": url, "replyguard_key": key}
        self.php(
            f"array_map( 'delete_option', array( {names} ) ); "
            # Akismet hides its privacy line whenever its own form is sent without that field
            "update_option( 'akismet_comment_form_privacy_notice', 'display' ); "
            f"$settings = json_decode( {json.dumps(json.dumps(settings))}, true ); "
            "foreach ( array_filter( $settings ) as $n => $v ) "
            "{ update_option( $n, $v ); } return 1;"
        )

    def status(self, comment_id: int) -> str:
        """approved, unapproved (held), spam or trash."""
        status: str = self.php(f"return wp_get_comment_status( {comment_id} );")
        return status

    def meta(self, comment_id: int, name: str) -> Any:
        return self.php(f"return get_comment_meta( {comment_id}, {json.dumps(name)}, true );")

    def complaints(self) -> list[str]:
        """What PHP complained about in our plugin."""
        logs = [path.read_text(errors="replace") for path in (self.log, self.php_log) if path.exists()]
        lines = [line for line in "\n".join(logs).splitlines() if "PHP " in line]
        return [line for line in lines if "replyguard.php" in line or "PHP Fatal" in line]

    def _install(self) -> None:
        self.browser.post(
            f"{self.url}/wp-admin/install.php?step=2",
            data={
                "weblog_title": "Garden notes",
                "user_name": ADMIN,
                "admin_password": PASSWORD,
                "admin_password2": PASSWORD,
                "pw_weak": "1",
                "admin_email": "keeper@garden.test",
                "language": "",
            },
            timeout=120,
        ).raise_for_status()
        self.php("switch_theme( 'plain' ); return 1;")
        # an unmoderated blog: whatever is not held is published
        for name in ("comment_moderation", "comment_previously_approved"):
            self.option(name, "")
        self.login()

    def login(self) -> None:
        self.submit("wp-login.php", "form#loginform", {"log": ADMIN, "pwd": PASSWORD})
        if "wordpress_logged_in" not in str(self.browser.cookies):
            raise AssertionError("could not log in")


def text_of(page: LexborHTMLParser, selector: str) -> str:
    """Text of all that a selector finds, with single blanks."""
    return " ".join(" ".join(node.text() for node in page.css(selector)).split())


def akismet_version(core: Path) -> str:
    """Version of the Akismet plugin that a WordPress carries."""
    header = (core / "wp-content/plugins/akismet/akismet.php").read_text()
    found = re.search(r"^Version: (\S+)", header, re.MULTILINE)
    if found is None:
        raise ValueError(f"no version in the Akismet plugin of {core}")
    return found.group(1)


def fields_of(form: LexborNode) -> dict[str, str]:
    """What a browser would send if nobody touched the form. Buttons are left out."""
    fields: dict[str, str] = {}
    for node in form.css("input, textarea, select"):
        name = node.attributes.get("name")
        kind = (node.attributes.get("type") or "").lower()
        if (
            not name
            or "disabled" in node.attributes
            or kind in {"submit", "button", "image", "reset", "file"}
        ):
            continue
        if kind in {"checkbox", "radio"} and "checked" not in node.attributes:
            continue
        if node.tag == "textarea":
            fields[name] = node.text()
        elif node.tag == "select":
            chosen = node.css_first("option[selected]") or node.css_first("option")
            fields[name] = (chosen.attributes.get("value") or "") if chosen else ""
        else:
            fields[name] = node.attributes.get("value") or ("on" if kind in {"checkbox", "radio"} else "")
    return fields
