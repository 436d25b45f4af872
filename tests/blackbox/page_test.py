"""The page for people in a real browser: what it fetches, whether it fits, what a screen reader is told, contrast."""

import contextlib
import http.server
import os
import subprocess
import threading
import unittest

from chromium import Chromium

SAMPLE = os.path.join(os.environ.get("TLSPOLICYD_BIN", ""), "show_sample")
STATES = ("empty", "well", "exceptions", "trouble", "full", "hostile")
WIDTHS = (320, 360, 640, 768, 1030, 1160, 1280)  # 320: WCAG 2.2, 1.4.10
SCHEMES = ("light", "dark")

# Of each text that is seen: [text, contrast with what is behind it]. WCAG 2.2, "relative luminance".
CONTRASTS = """(() => {
  const channels = text => text.match(/[\\d.]+/g).map(Number);
  const light = rgb => { const [r, g, b] = rgb.map(c => { c /= 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const behind = e => { for (; e; e = e.parentElement) { const c = channels(getComputedStyle(e).backgroundColor);
    if (c.length == 3 || c[3] == 1) return c.slice(0, 3); } return [255, 255, 255]; };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || e.closest('svg') || !e.checkVisibility()) continue;
    found.push([walker.currentNode.data.trim().slice(0, 40), ratio(channels(getComputedStyle(e).color).slice(0, 3), behind(e))]);
  }
  const shapes = [];
  for (const e of document.querySelectorAll('.plot rect'))
    shapes.push([e.className.baseVal, ratio(channels(getComputedStyle(e).fill).slice(0, 3), behind(e.closest('section')))]);
  for (const e of document.querySelectorAll('.verdict svg'))
    shapes.push(['verdict', ratio(channels(getComputedStyle(e).stroke).slice(0, 3), behind(e.parentElement))]);
  return {texts: found, shapes: shapes};
})()"""

# Whatever sticks out at the right, as tags.
TOO_WIDE = """[...document.querySelectorAll('body *')].filter(e =>
  e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5 && e.checkVisibility() &&
  !e.closest('.unseen, thead')).map(e => e.tagName + '.' + e.className).slice(0, 5)"""


def sample(*words):
    return subprocess.run([SAMPLE, *words], check=True, stdout=subprocess.PIPE).stdout


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        words = self.path.strip("/").split("/")
        if words[0] not in STATES:
            self.send_error(404)
            return
        body = sample("page", *words)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", sample("policy", words[0]).decode())
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def served():
    """An address that shows /STATE[/SECONDS] as the daemon would, and keeps what was asked for."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = contextlib.ExitStack()
        cls.server, cls.address = cls.stack.enter_context(served())
        cls.browser = cls.stack.enter_context(Chromium())
        cls.addClassCleanup(cls.stack.close)

    def open(self, state, **how):
        return self.browser.open(f"{self.address}/{state}", **how)

    def test_it_needs_nothing_but_itself(self):
        for state in STATES:
            with self.subTest(state=state):
                self.server.asked.clear()
                page = self.open(state)
                self.assertEqual([f"/{state}"], self.server.asked)
                asked = [event["request"]["url"].split(",")[0] for event in page.seen("Network.requestWillBeSent")]
                self.assertEqual({f"{self.address}/{state}"}, {url for url in asked if not url.startswith("data:")})
                # A style or picture that the policy forbids would be said here.
                self.assertEqual([], [event["entry"]["text"] for event in page.seen("Log.entryAdded")])
                self.assertEqual("rgb(244, 245, 247)", page.value("getComputedStyle(document.body).backgroundColor"))

    def test_no_text_of_others_is_run(self):
        page = self.open("hostile")
        self.assertEqual(0, page.value("document.scripts.length"))
        self.assertEqual(0, page.value("[...document.querySelectorAll('*')].filter(e =>"
                                       " e.getAttributeNames().some(n => n.startsWith('on'))).length"))
        self.assertEqual([], page.seen("Page.javascriptDialogOpening"))
        self.assertIn("<script>alert", page.value("document.querySelector('h1').textContent"))

    def test_nothing_is_wider_than_the_window(self):
        for state in STATES:
            for width in WIDTHS:
                with self.subTest(state=state, width=width):
                    page = self.open(state, width=width)
                    page.value("document.querySelectorAll('details').forEach(e => e.open = true)")
                    self.assertEqual([], page.value(TOO_WIDE))
                    self.assertLessEqual(page.value("document.documentElement.scrollWidth"),
                                         page.value("document.documentElement.clientWidth"))

    def test_text_and_shapes_stand_out_from_what_is_behind_them(self):
        for state in ("well", "exceptions", "trouble", "trouble/60", "empty"):
            for scheme in SCHEMES:
                with self.subTest(state=state, scheme=scheme):
                    page = self.open(state, scheme=scheme)
                    page.value("document.querySelectorAll('details').forEach(e => e.open = true)")
                    measured = page.value(CONTRASTS)
                    self.assertGreater(len(measured["texts"]), 5)
                    self.assertEqual([], [each for each in measured["texts"] if each[1] < 4.5])
                    self.assertGreater(len(measured["shapes"]), 0)
                    self.assertEqual([], [each for each in measured["shapes"] if each[1] < 3])

    def test_light_and_dark_are_two_looks(self):
        looks = {scheme: self.open("well", scheme=scheme).value("getComputedStyle(document.body).backgroundColor")
                 for scheme in SCHEMES}
        self.assertEqual({"light": "rgb(244, 245, 247)", "dark": "rgb(15, 18, 22)"}, looks)

    def test_a_screen_reader_finds_its_way(self):
        for width in (360, 1280):
            with self.subTest(width=width):
                page = self.open("trouble", width=width)
                page.value("document.querySelectorAll('details').forEach(e => e.open = true)")
                told = page.accessible()
                roles = [role for role, _ in told]
                for landmark in ("banner", "main", "contentinfo"):
                    self.assertEqual(1, roles.count(landmark), landmark)
                self.assertEqual(
                    ["5 things need attention", "In short", "Downgraded now", "Partners that fail",
                     "Certificates that end next", "Mail of the last day", "Last decisions", "The service"],
                    [name for role, name in told if role == "region"])
                # In no order: the table inside <details> came last.
                self.assertCountEqual(
                    ["Destinations downgraded now", "Partners whose TLS fails", "Certificates that end next",
                     "Mail of the last day by TLS, summed up", "Mail of the last day by TLS, hour by hour",
                     "Last decisions, newest first", "Roles", "Answers by map",
                     "What TLS failed on, by who saw it"],
                    [name for role, name in told if role == "table"])
                self.assertIn(("rowheader", "zulieferer.example"), told)
                self.assertLessEqual({"Destination", "State", "Why", "Since", "Ends", "Affected"},
                                     {name for role, name in told if role == "columnheader"})
                self.assertEqual(["Mail of the last day by TLS"],
                                 [name for role, name in told if role in ("image", "img")])

    def test_old_figures_are_told_first(self):
        page = self.open("well/60")
        headings = [name for role, name in page.accessible() if role == "heading"]
        self.assertEqual(["mail.example.com", "These figures are 1 min old"], headings[:2])


if __name__ == "__main__":
    unittest.main()
