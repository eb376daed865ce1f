"""A real headless Chromium on one page of the console, and what a test asks of it."""

import json
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SIZES = {"desktop": (1440, 900, False), "phone": (390, 844, True), "narrow": (360, 740, True)}
_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
_REPLACE = """
const [before, after, done] = arguments;
import("/static/vendor/codemirror.js").then(({ EditorView }) => {
  const view = EditorView.findFromDOM(document.getElementById("editor"));
  const at = view.state.doc.toString().indexOf(before);
  view.dispatch({ changes: { from: at, to: at + before.length, insert: after } });
  done(at >= 0);
});
"""
_MODULE = """
const done = arguments[0];
import("/static/js/%s").then((m) => done({ value: (%s) })).catch((e) => done({ error: String(e) }));
"""


def start(profile=None):
    """A Chromium with a profile of its own, that remembers its console and its requests."""
    options = webdriver.ChromeOptions()
    for flag in _FLAGS.split():
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={profile or tempfile.mkdtemp()}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


class Page:
    """One page in `driver`. `tolerated` are texts that a message in the browser's console may hold."""

    def __init__(self, driver, server, size):
        self.driver = driver
        self.server = server
        self.tolerated: list[str] = []
        driver.get("about:blank")
        self.errors()
        self.strangers()
        width, height, mobile = SIZES[size]
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def open(self, path):
        self.driver.get(self.server.url + path)
        return self

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.textContent.trim() ?? ''", selector)

    def click(self, selector):
        self.run("arguments[0].scrollIntoView({block: 'center'})", self.one(selector))
        self.one(selector).click()

    def run(self, script, *args):
        return self.driver.execute_script(script, *args)

    def module(self, file, expression):
        """The value of `expression`, in which `m` is the module static/js/`file`."""
        answer = self.driver.execute_async_script(_MODULE % (file, expression))
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def replace(self, before, after):
        """Replaces `before` in the open file."""
        assert self.driver.execute_async_script(_REPLACE, before, after)

    def until(self, condition, what):
        """Waits until `condition()` is true and gives its value; a condition, never a time."""
        return WebDriverWait(self.driver, 30).until(lambda _: condition(), f"waited for: {what}")

    def until_text(self, selector, part):
        self.until(lambda: part in self.text(selector), f"{part!r} in {selector}")

    def ready(self):
        """Waits until the device page has its source, its stored records and its stream."""
        self.until(lambda: self.run("return document.body.dataset.connected") == "true", "the stream")
        self.until(lambda: self.one("#deploy").is_enabled(), "the function's source")
        return self

    def errors(self):
        """What the browser complained of since the last call, but what is tolerated."""
        found = [each["message"] for each in self.driver.get_log("browser") if each["level"] in ("SEVERE", "WARNING")]
        return [each for each in found if not any(part in each for part in self.tolerated)]

    def strangers(self):
        """Requests that left for any host but the shim's, since the last call; what the page's policy held back is none."""
        urls, blocked = {}, set()
        for method, params in self._network():
            if method == "Network.requestWillBeSent":
                urls[params["requestId"]] = params["request"]["url"]
            elif method == "Network.webSocketCreated":
                urls[params["requestId"]] = params["url"]
            elif method == "Network.loadingFailed" and params.get("blockedReason") == "csp":
                blocked.add(params["requestId"])
        ours = (self.server.url, "data:", "blob:", "about:")
        return [url for id, url in urls.items() if id not in blocked and not url.startswith(ours)]

    def _network(self):
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            yield message["method"], message["params"]
