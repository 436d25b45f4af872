"""A real Chromium without a window, driven by the DevTools protocol over a pair of pipes.

    with Chromium() as browser:
        page = browser.open("http://127.0.0.1:1234/", width=360, scheme="dark")
        page.value("document.title")

It reaches loopback alone, keeps its files in a directory of its own, and ends with the `with`.
"""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

PROGRAM = "chromium"
PATIENCE = 60  # seconds for one answer; a loaded machine starts a renderer slowly
LOADED = "Page.loadEventFired"
# No name is resolved, nothing is fetched for the browser's own sake.
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--mute-audio",
           "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
           "--disable-extensions", "--disable-sync", "--no-default-browser-check", "--no-proxy-server",
           "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.*", "--remote-debugging-pipe")


def is_installed():
    return shutil.which(PROGRAM) is not None


class Chromium:
    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="tlspolicyd-chromium-")
        self.stderr = open(os.path.join(self.directory, "stderr"), "wb")
        ours_in, theirs_out = self._pipe()
        theirs_in, ours_out = self._pipe()
        self._in, self._out = ours_in, ours_out
        self._buffer, self._last, self.events = b"", 0, []
        # The browser reads commands from descriptor 3 and answers on 4.
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{theirs_in} 4>&{theirs_out} {theirs_in}<&- {theirs_out}>&-', "bash",
             PROGRAM, *OPTIONS, f"--user-data-dir={self.directory}/profile", "about:blank"],
            pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL, stdout=self.stderr, stderr=self.stderr,
            start_new_session=True, env={**os.environ, "HOME": self.directory, "TZ": "America/New_York"})
        os.close(theirs_in)
        os.close(theirs_out)
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self._in)
        os.close(self._out)
        self.stderr.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    @staticmethod
    def _pipe():
        """Both ends far from 3 and 4, which are set last."""
        ends = os.pipe()
        high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in ends]
        for end in ends:
            os.close(end)
        return high

    def _message(self, deadline):
        while b"\0" not in self._buffer:
            if not select.select([self._in], [], [], max(0, deadline - time.monotonic()))[0]:
                raise TimeoutError(f"no word from chromium in {PATIENCE} s")
            data = os.read(self._in, 1 << 20)
            if not data:
                with open(self.stderr.name, "rb") as log:
                    raise EOFError("chromium ended: " + log.read()[-2000:].decode(errors="replace"))
            self._buffer += data
        message, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **parameters):
        """The result of a DevTools command; events that come before it are kept."""
        self._last += 1
        command = {"id": self._last, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        data = json.dumps(command).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data):]
        deadline = time.monotonic() + PATIENCE
        while True:
            message = self._message(deadline)
            if message.get("id") == self._last:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def wait_for(self, method, session):
        deadline = time.monotonic() + PATIENCE
        while True:
            for place, event in enumerate(self.events):
                if event.get("method") == method and event.get("sessionId") == session:
                    return self.events.pop(place)["params"]
            self.events.append(self._message(deadline))

    def open(self, address, width=1280, height=800, scheme="light"):
        return Page(self, address, width, height, scheme)


class Page:
    def __init__(self, browser, address, width, height, scheme):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "Accessibility"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=address)
        browser.wait_for(LOADED, self.session)

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def value(self, expression):
        """What a JavaScript expression is in the page, as JSON holds it."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def seen(self, method):
        """The events of that name so far."""
        return [event["params"] for event in self.browser.events
                if event.get("method") == method and event.get("sessionId") == self.session]

    def accessible(self):
        """What a screen reader is told: (role, name) of each node that isn't ignored."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node["role"]["value"], node.get("name", {}).get("value", ""))
                for node in nodes if not node.get("ignored")]

    def screenshot(self, path):
        height = self.value("document.documentElement.scrollHeight")
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "width": self.value("innerWidth"), "height": height, "scale": 1})
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))
