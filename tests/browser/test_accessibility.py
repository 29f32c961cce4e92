"""The pages for commenters in a real browser: no rule of axe is broken, nothing runs off the side.

Needs chromium with its driver (Debian: ``chromium chromium-driver``) and axe-core, found through
``npm install`` into a folder of the test's own. Without them the tests are skipped; with CLIENTS_MUST_RUN they fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.service_process import Service, running_service

pytestmark = pytest.mark.clients

AXE = "axe-core@4"
PAGES = [
    "/privacy",
    "/privacy?lang=de",
    "/privacy?lang=pl&site=https://alice.example.com",
    "/privacy/snippet?lang=fr",
    "/privacy/appeal",
    "/privacy/appeal?lang=de&site=https://alice.example.com",
    "/privacy/appeal/received/3f0c-9a1b-77e2?lang=pt",
]


def missing(what: str) -> None:
    if os.environ.get("CLIENTS_MUST_RUN"):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    npm = shutil.which("npm")
    if npm is None:
        missing("npm is not installed")
    folder = tmp_path_factory.mktemp("axe")
    found = subprocess.run(
        [str(npm), "install", "--silent", "--prefix", str(folder), AXE], check=False, capture_output=True
    )
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if found.returncode or not script.is_file():
        missing("npm could not install axe-core")
    return script.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service as Driver

    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        missing("chromium or its driver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = str(chromium)
    # Root may not start it in its sandbox; it opens our own pages only.
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    opened = webdriver.Chrome(options=options, service=Driver(str(driver)))
    yield opened
    opened.quit()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("notice") / "data"
    folder.mkdir()
    with running_service(folder, {}) as running:
        yield running


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
def test_a_page_breaks_no_rule_and_fits_the_screen(browser, service, axe, page, scheme, width):
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.get(f"{service.url}{page}")
    browser.execute_script(axe)
    found = browser.execute_async_script("axe.run(document).then(arguments[arguments.length - 1])")
    assert len(found["passes"]) > 20
    assert [
        (rule["id"], [node["html"] for node in rule["nodes"]])
        for rule in found["violations"] + found["incomplete"]
    ] == []
    assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")


def test_the_form_is_filled_in_by_keyboard_and_says_what_is_wrong(browser, service, axe):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.expected_conditions import title_contains
    from selenium.webdriver.support.wait import WebDriverWait

    def arrived(title):
        # A key that submits a form returns before the next page is there.
        return WebDriverWait(browser, 20).until(title_contains(title))

    def found_by_axe():
        browser.execute_script(axe)
        found = browser.execute_async_script("axe.run(document).then(arguments[arguments.length - 1])")
        return [rule["id"] for rule in found["violations"] + found["incomplete"]]

    browser.get(f"{service.url}/privacy/appeal?lang=en&site=https://alice.example.com/tyres")
    browser.find_element(By.ID, "email").send_keys("nobody")
    # From the address on: reference, message, button; nothing that cannot be seen lies in between.
    for _ in range(3):
        browser.switch_to.active_element.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.tag_name == "button"
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert arrived("Not taken yet")
    assert found_by_axe() == []
    wrong = browser.find_element(By.ID, "email")
    described = [
        browser.find_element(By.ID, name).text for name in wrong.get_attribute("aria-describedby").split()
    ]
    assert described[0].startswith("This is no e-mail address.")
    wrong.clear()
    wrong.send_keys("maud@mail.example.org", Keys.ENTER)
    assert arrived("Your request has come in")
    assert browser.find_element(By.TAG_NAME, "h1").text == "Your request has come in"
    # Nothing was blocked; that the first try was refused is as it should be.
    assert [line for line in browser.get_log("browser") if "422" not in line["message"]] == []
    assert found_by_axe() == []
