"""Sends hostile requests to a running product and counts the answers.

The requests come from the API description and from strategies of Hypothesis. Run this process in a network namespace
that has only loopback: a stream that a hostile request starts then reaches no other host. The process reads one JSON
line on standard input and writes one on standard output.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from tests.instruments.audience import audience
from tests.instruments.child import say
from tests.instruments.product import Product

MARKER = "outside-of-the-media-folder"
_STEPS = [
    "..",
    ".",
    "",
    "~",
    "%2e%2e",
    "..%2f",
    "..\\",
    "....",
    "etc",
    "passwd",
    "data",
    "bars.ts",
    "link.ts",
    "\0",
    "a" * 300,
]
_STREAMS_AT_ONCE = 2
# These act on all streams, also on the stream that hostile requests must not affect. tests/web tests them.
_ACT_ON_ALL_STREAMS = {"/api/streams/start-all", "/api/streams/stop-all"}


@dataclass
class Count:
    """The requests and their answers. `wrong` lists the requests whose answer is a fault of the product.

    A round sends the requests that are missing up to `examples`, for at most `seconds`. The number of the round is the
    seed, so that each run sends the same requests.
    """

    examples: int
    seconds: float
    rounds: int
    round: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    _missing: int = 0
    _ends: float = 0.0

    def begin_round(self) -> bool:
        """Start the next round. Return false if no round is left or no request is missing."""
        self.round += 1
        self._missing = self.examples - self.asked()
        return self._missing > 0 and self.round <= self.rounds

    def begin(self, share: float) -> None:
        """Start the time of the next kind of requests, which is a share of `seconds`."""
        self._ends = time.monotonic() + self.seconds * share

    def is_over(self) -> bool:
        return time.monotonic() > self._ends

    def asked(self) -> int:
        """Return how many requests were answered."""
        return sum(self.statuses.values())

    def take(self, what: str, answer: requests.Response) -> None:
        """Count an answer, and record it as wrong if it shows a fault."""
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 500 and not answer.url.endswith("/health"):
            self.wrong.append(f"{answer.status_code} to {what}")
        if MARKER in answer.text:
            self.wrong.append(f"a file from outside in the answer to {what}")

    def settings(self, part: float) -> settings:
        """Return Hypothesis's settings for a share of the missing examples."""
        return settings(
            max_examples=max(5, int(self._missing * part)),
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )


def fuzz_by_description(product: Product, count: Count) -> None:
    """Send requests that the API description allows, and requests that it does not allow."""
    base = f"http://127.0.0.1:{product.port}"
    headers = {"Authorization": f"Bearer {product.api_key}"}
    schema = schemathesis.openapi.from_url(f"{base}/api/openapi.json", headers=headers)
    described: list[Any] = [result.ok() for result in schema.get_all_operations()]  # type: ignore[union-attr]
    operations = [operation for operation in described if operation.path not in _ACT_ON_ALL_STREAMS]
    assert len(operations) == len(described) - len(_ACT_ON_ALL_STREAMS)
    for operation in operations:
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            count.begin(0.6 / len(operations) / 2)
            # Use the key of an existing stream: otherwise all answers would be 404. Requests may stop this stream.
            keys = {"key": product.start(name="victim")["key"]} if "{key}" in operation.path else None

            @seed(count.round)
            @count.settings(0.6 / len(operations) / 2)
            @given(case=operation.as_strategy(generation_mode=mode, path_parameters=keys))
            def ask(case: Any) -> None:
                if count.is_over():
                    return
                answer = requests.request(**case.as_transport_kwargs(base_url=base, headers=headers), timeout=20)
                count.take(f"{case.method} {case.formatted_path} {case.query} {case.body!r:.300}", answer)

            ask()
            clear(product)


def fuzz_places(product: Product, count: Count) -> None:
    """Request files and folders that do not exist or that are outside the media folder."""
    base = f"http://127.0.0.1:{product.port}"
    paths = st.one_of(st.lists(st.sampled_from(_STEPS), max_size=8).map("/".join), st.text(max_size=60))
    headers = {"Authorization": f"Bearer {product.api_key}"}
    count.begin(0.15)

    @seed(count.round)
    @count.settings(0.15)
    @given(path=paths, where=st.sampled_from(["list", "check", "info", "page", "post"]))
    def ask(path: str, where: str) -> None:
        if count.is_over():
            return
        escaped = quote(path, safe="/%", errors="surrogatepass")
        routes = {"list": "/api/media?path=", "check": "/api/media/check?path=", "info": "/api/media/info?path="}
        if where == "post":
            document = product.document(source={"kind": "file", "path": path})
            answer = requests.post(f"{base}/api/streams", json=document, headers=headers, timeout=20)
        else:
            route = routes.get(where, "/media_info/")
            answer = requests.get(f"{base}{route}{escaped}", headers=headers, timeout=20)
        count.take(f"{where} {path!r}", answer)

    ask()
    clear(product)


def fuzz_hosts(product: Product, count: Count) -> None:
    """Start streams and network tests to hosts that do not exist."""
    hosts = st.one_of(
        st.text(max_size=80),
        st.from_regex(r"[-a-z0-9.:\[\]%?&=/ ]{1,60}", fullmatch=True),
        st.sampled_from(
            ["-h", "0", "::", "[::1]", "127.0.0.1\n", "a" * 300, "$(id)", "x;y", "host?mode=listener", "1.1"]
        ),
    )
    base, headers = f"http://127.0.0.1:{product.port}", {"Authorization": f"Bearer {product.api_key}"}
    count.begin(0.1)

    @seed(count.round)
    @count.settings(0.1)
    @given(host=hosts, route=st.sampled_from(["/api/streams", "/api/network-tests"]))
    def ask(host: str, route: str) -> None:
        if count.is_over():
            return
        stream = product.document(endpoint={"mode": "caller", "host": host, "port": 9})
        document = stream if route == "/api/streams" else {"mode": "manual", "host": host}
        count.take(f"{route} {host!r}", requests.post(f"{base}{route}", json=document, headers=headers, timeout=20))
        clear(product, at_least=_STREAMS_AT_ONCE)

    ask()
    clear(product)


def fuzz_forms(product: Product, count: Count) -> None:
    """Submit the pages' forms with arbitrary values, with a session and token like a browser."""
    base, browser = f"http://127.0.0.1:{product.port}", requests.Session()
    page = browser.get(f"{base}/", timeout=20).text
    found = re.search(r'name="csrf-token" content="([^"]+)"', page)
    assert found, "the page contains no CSRF token"
    names = sorted(set(re.findall(r'<(?:input|select)[^>]* name="(\w+)"', page)) - {"csrf_token"})
    values = st.one_of(st.text(max_size=40), st.integers().map(str), st.sampled_from(["", "file", "bars", "multicast"]))
    count.begin(0.15)

    @seed(count.round)
    @count.settings(0.15)
    @given(fields=st.dictionaries(st.sampled_from(names), values), page=st.sampled_from(["/", "/caller"]))
    def ask(fields: dict[str, str], page: str) -> None:
        if count.is_over():
            return
        body = {name: text.encode(errors="surrogatepass") for name, text in fields.items()}
        answer = browser.post(f"{base}{page}", data=body | {"csrf_token": found[1]}, timeout=20)
        count.take(f"form {page} {fields!r:.300}", answer)
        clear(product, at_least=_STREAMS_AT_ONCE)

    ask()
    clear(product)


def clear(product: Product, *, at_least: int = 1) -> None:
    """Dismiss the streams that requests started, if there are at least `at_least`. The first stream is kept."""
    started = [view["key"] for view in product.streams() if view["name"] != "stream 1"]
    for key in started if len(started) >= at_least else []:
        product.dismiss(key)


KINDS: Iterable[Callable[[Product, Count], None]] = (fuzz_by_description, fuzz_places, fuzz_hosts, fuzz_forms)


def main() -> None:
    """Send all requests to a product with one stream, then report the results."""
    wanted = json.loads(sys.stdin.readline())
    count = Count(wanted["examples"], wanted["seconds"], wanted["rounds"])
    limits = {"MAX_STREAMS": "3", "WRITES_PER_MINUTE": "999999"}
    with Product(Path(wanted["sample"]), **limits) as product:
        outside = product.folder / MARKER
        outside.mkdir()
        (outside / f"{MARKER}.ts").write_bytes(Path(wanted["sample"]).read_bytes()[:1_880_000])
        (product.media / "link.ts").symlink_to(outside / f"{MARKER}.ts")
        (product.media / "etc").symlink_to(outside)
        web = product.web.pid
        with audience(product, 1, patience_ms=4000) as (viewer,):
            while count.begin_round():
                for ask in KINDS:
                    ask(product, count)
            after = product.stream(viewer.key)
            worker = after["worker"] or {"pid": None}
            is_undisturbed = (worker["pid"], after["restarts"]) == (viewer.worker_pid, 0)
            verdict = viewer.verdict()
        assert product.web.is_running()
        say(
            asked=count.asked(),
            statuses={str(status): number for status, number in sorted(count.statuses.items())},
            wrong=count.wrong[:20],
            failures_logged=product.log_file.read_text().count("request failed"),
            is_same_process=product.web.pid == web,
            is_undisturbed=is_undisturbed and verdict.is_whole,
            verdict=str(verdict),
        )


if __name__ == "__main__":
    main()
