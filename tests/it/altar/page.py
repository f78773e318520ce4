"""Opens a page in headless Chromium and prints what JavaScript finds in it, as JSON.

    page.py URL EXPRESSION DIRECTORY

EXPRESSION is an async function body; DIRECTORY gets the profile and page.png.
The DevTools protocol goes over two pipes: JSON messages, each ended by a NUL.
"""

import base64
import json
import os
import subprocess
import sys


class Browser:
    def __init__(self, directory):
        # Chromium reads its descriptor 3 and writes its 4
        theirs_in, self.out = os.pipe()
        self.inward, theirs_out = os.pipe()
        script = 'exec 3<&"$1" 4>&"$2"; shift 2; exec "$@"'
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe", "--window-size=1200,900", f"--user-data-dir={directory}/profile"]
        command = ["bash", "-c", script, "bash", str(theirs_in), str(theirs_out), "chromium", *flags, "about:blank"]
        self.log = open(f"{directory}/chromium.log", "wb")
        self.process = subprocess.Popen(command, pass_fds=(theirs_in, theirs_out), stderr=self.log, stdout=self.log, env={**os.environ, "HOME": directory})
        os.close(theirs_in)
        os.close(theirs_out)
        self.buffer, self.number, self.events = b"", 0, []

    def call(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") != self.number:
                self.events.append(answer)
            elif "error" in answer:
                raise SystemExit(f"Chromium: {answer['error']}")
            else:
                return answer["result"]

    def event(self, method, **parameters):
        """Waits for an event with these parameters, unless it was there already."""
        while True:
            event = self.events.pop(0) if self.events else self.read()
            if event.get("method") == method and parameters.items() <= event["params"].items():
                return

    def read(self):
        """The next message."""
        while b"\0" not in self.buffer:
            part = os.read(self.inward, 1 << 16)
            if not part:
                raise SystemExit("Chromium went away")
            self.buffer += part
        text, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(text)


def main():
    url, body, directory = sys.argv[1:]
    browser = Browser(directory)
    try:
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.call("Page.enable", session)
        browser.call("Page.setLifecycleEventsEnabled", session, enabled=True)
        # The blank page may still be loading: only the load of this very document counts.
        opened = browser.call("Page.navigate", session, url=url)
        if "errorText" in opened:
            raise SystemExit(f"{url}: {opened['errorText']}")
        browser.event("Page.lifecycleEvent", loaderId=opened["loaderId"], name="load")
        answer = browser.call("Runtime.evaluate", session, expression=f"(async () => {{ {body} }})()", awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise SystemExit(json.dumps(answer["exceptionDetails"]))
        picture = browser.call("Page.captureScreenshot", session)
        with open(f"{directory}/page.png", "wb") as file:
            file.write(base64.b64decode(picture["data"]))
        print(json.dumps(answer["result"]["value"]))
        browser.call("Browser.close")
    finally:
        browser.process.terminate()
        browser.process.wait()


main()
