"""The running service's own page in a real browser: what an admin does shows, and nothing else is fetched."""

import contextlib
import unittest
import urllib.error
import urllib.request

from chromium import Chromium
from daemon import Daemon, loopback_address
from processes import SLOWNESS, wait_until

VERDICT = "document.getElementById('verdict').textContent"
# Written past the CHECKs, as a foreign tool with its own SQLite could.
FAULTY = (".dbconfig enable_trigger off\nPRAGMA ignore_check_constraints = ON; INSERT INTO outbound(destination, profile) "
          "VALUES('<script>alert(1)</script>.example', 'required');\n")


class LivePage(unittest.TestCase):
    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        listener = loopback_address()
        self.address = f"http://{listener}"
        self.daemon = stack.enter_context(Daemon(rows=[("bank.example", "required")], http_listen=f"inet:{listener}"))
        self.browser = stack.enter_context(Chromium())
        wait_until(self.answers, "the service has reported", 20 * SLOWNESS)

    def answers(self):
        with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(self.address) as answer:
            return answer.status == 200
        return False

    def open_when(self, verdict):
        """The page as soon as its verdict is this one."""
        seen = []

        def is_said():
            page = self.browser.open(f"{self.address}/still")
            seen[:] = [page.value("document.body.innerText")]
            return page if page.value(VERDICT) == verdict else None
        return wait_until(is_said, lambda: f"the page says: {verdict}, not {seen}", 20 * SLOWNESS)

    def test_what_an_admin_does_shows(self):
        page = self.open_when("All is well")
        self.assertEqual([], [event["entry"]["text"] for event in page.seen("Log.entryAdded")])
        self.assertEqual("rgb(244, 245, 247)", page.value("getComputedStyle(document.body).backgroundColor"))
        self.assertIn("1 row is in force", page.value("document.querySelector('.said').textContent"))
        told = page.accessible()
        for role in ("answer", "store", "http"):
            self.assertIn(("rowheader", role), told)
        self.daemon.ctl("panic", "observe", "--for", "1h")
        page = self.open_when("The service is well, with exceptions")
        self.assertIn("panic has the service observe until", page.value("document.querySelector('.said').textContent"))
        self.assertIn("Panic", page.value("document.querySelector('[aria-labelledby=decisions]').textContent"))
        self.daemon.ctl("panic", "enforce")
        self.daemon.edit(FAULTY)
        page = self.open_when("1 thing needs attention")
        self.assertIn("<script>alert(1)</script>", page.value("document.querySelector('.verdict').textContent"))
        self.assertEqual(0, page.value("document.scripts.length"))
        self.assertEqual([], page.seen("Page.javascriptDialogOpening"))

    def test_reloading_is_switched_by_its_link(self):
        page = self.browser.open(self.address)
        refresh = "document.querySelector('meta[http-equiv=refresh]') !== null"
        self.assertTrue(page.value(refresh))
        page.value("document.querySelector('footer a').click()")
        self.browser.wait_for("Page.loadEventFired", page.session)
        self.assertEqual(f"{self.address}/still", page.value("location.href"))
        self.assertFalse(page.value(refresh))


if __name__ == "__main__":
    unittest.main()
