"""A headless Chromium, spoken to through its pipe of the DevTools protocol, so that nothing but Chromium is needed."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


class Browser:
    def __init__(self):
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if not program:
            raise FileNotFoundError("there is no chromium")
        self.home = tempfile.mkdtemp(prefix="whosends-chromium-")
        self.errors = open(os.path.join(self.home, "stderr"), "wb")
        to_child, self.to_child = os.pipe()
        self.from_child, from_child = os.pipe()
        self.last = 0
        self.buffer = b""
        self.events = []

        def pipes():
            # The protocol is on 3 and 4. What is moved out of their way first may be one of them.
            safe = os.dup(to_child), os.dup(from_child)
            moved = [os.dup2(fd, 40 + n) for n, fd in enumerate(safe)]
            for n, fd in enumerate(moved):
                os.dup2(fd, 3 + n)

        options = ["--headless=new", "--remote-debugging-pipe", f"--user-data-dir={self.home}", "--no-first-run",
                   "--disable-gpu", "--disable-extensions", "--disable-background-networking", "--disable-sync",
                   "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb"]
        if os.getuid() == 0:
            options.append("--no-sandbox")
        environment = {**os.environ, "HOME": self.home, "DBUS_SESSION_BUS_ADDRESS": "disabled:"}
        self.process = subprocess.Popen([program, *options, "about:blank"], stdin=subprocess.DEVNULL, stdout=self.errors,
                                        stderr=self.errors, preexec_fn=pipes, close_fds=False, env=environment)
        os.close(to_child)
        os.close(from_child)

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except Exception:
            self.process.kill()
            self.process.wait()
        self.errors.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def _read(self, seconds):
        """The next message; None when there is none within that time."""
        end = time.monotonic() + seconds
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.from_child], [], [], max(0, end - time.monotonic()))
            if not ready:
                return None
            chunk = os.read(self.from_child, 1 << 20)
            if not chunk:
                self.errors.flush()
                with open(self.errors.name, errors="replace") as said:
                    raise EOFError("chromium is gone: " + said.read()[-2000:])
            self.buffer += chunk
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, seconds=60, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        self._write_all(json.dumps(message).encode() + b"\0")
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answer = self._read(end - time.monotonic())
            if answer is None:
                break
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)
        raise TimeoutError(method)

    def _write_all(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(self.to_child, view):]

    def wait(self, session, method, seconds=60):
        end = time.monotonic() + seconds
        while True:
            for event in self.events:
                if event.get("sessionId") == session and event.get("method") == method:
                    return
            message = self._read(max(0, end - time.monotonic()))
            if message is None:
                raise TimeoutError(method)
            self.events.append(message)

    def page(self):
        return Page(self)


class Page:
    def __init__(self, browser):
        self.browser = browser
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)

    def look(self, width, height=900, scheme="light", media="screen"):
        """As on a screen of that width (a phone's when it is below 600)."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=2 if width < 600 else 1,
                  mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, url):
        self.browser.events.clear()
        self.call("Page.navigate", url=url)
        self.browser.wait(self.session, "Page.loadEventFired")

    def run(self, script):
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    def complaints(self):
        """What the console shows, and every request since the page was opened that is for no file."""
        self.run("1")
        found = []
        for event in self.browser.events:
            method, params = event.get("method"), event.get("params", {})
            if event.get("sessionId") != self.session:
                continue
            if method == "Log.entryAdded":
                found.append(params["entry"]["text"])
            elif method in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
                found.append(json.dumps(params)[:300])
            elif method == "Page.javascriptDialogOpening":
                found.append("a dialog")
            elif method == "Network.requestWillBeSent" and not params["request"]["url"].startswith("file:"):
                found.append("request: " + params["request"]["url"])
        return found

    def requests(self):
        return [event["params"]["request"]["url"] for event in self.browser.events
                if event.get("sessionId") == self.session and event.get("method") == "Network.requestWillBeSent"]

    def key(self, name, code):
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code)

    def screenshot(self, path):
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
