"""What a user takes from a stream's page: charts with labelled axes, their pictures, and copied texts."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chrome import Browser
from tests.instruments.waiting import wait_for
from tests.web.fake_streams import PASSPHRASE

# Counts the dots of a PNG that differ from its ground, by band of 24 rows.
_BANDS = """
const [data, done] = arguments;
const picture = new Image();
picture.onload = () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width, picture.height];
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  pen.drawImage(picture, 0, 0);
  const ground = pen.getImageData(0, 0, 1, 1).data.join();
  const bands = [];
  for (let top = 0; top + 24 <= 72; top += 24) {
    const dots = pen.getImageData(0, top, picture.width, 24).data;
    let marked = 0;
    for (let at = 0; at < dots.length; at += 4) marked += dots.slice(at, at + 4).join() !== ground;
    bands.push(marked);
  }
  done(bands);
};
picture.src = URL.createObjectURL(new Blob([Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))]));
"""


def chart(page: Browser, id_: str, expression: str) -> Any:
    return page.js(f"const chart = Chart.getChart(arguments[0]); return {expression}", id_)


def wait_for_chart(page: Browser, id_: str) -> None:
    wait_for(lambda: chart(page, id_, "chart.data.datasets[0].data.length > 0"), deadline_s=15, what="a line")


@pytest.mark.parametrize(("span", "every_s"), [(300, 60), (3600, 600)])
def test_a_label_of_the_time_stands_at_that_very_minute(page: Browser, span: int, every_s: int) -> None:
    page.open("/stream/lineup")
    wait_for_chart(page, "bitrate-chart")
    if span != 300:
        page.click(f"label[for=span-{span}]")
        wait_for(
            lambda: chart(page, "bitrate-chart", "chart.scales.x.max - chart.scales.x.min") > 3000,
            deadline_s=15,
            what="an hour",
        )
    values = chart(page, "bitrate-chart", "chart.scales.x.ticks.map((tick) => tick.value)")

    assert len(values) >= 4
    assert [value % every_s for value in values] == [0] * len(values)


def test_every_axis_says_its_unit(page: Browser) -> None:
    page.open("/stream/lineup")
    wait_for_chart(page, "loss-chart")
    units = {
        id_: chart(page, id_, "Object.values(chart.scales).map((scale) => scale.options.title.text)")
        for id_ in ("bitrate-chart", "rtt-chart", "loss-chart")
    }

    assert units == {
        "bitrate-chart": ["UTC", "Mb/s"],
        "rtt-chart": ["UTC", "ms"],
        "loss-chart": ["UTC", "%", "packets/s"],
    }


def test_a_chart_without_figures_says_so(page: Browser) -> None:
    page.open("/stream/failed")
    page.wait_text("#label", "Archive loop")
    written = page.js(
        """
        const chart = Chart.getChart("rtt-chart");
        const words = [];
        const pen = chart.ctx;
        const write = pen.fillText.bind(pen);
        pen.fillText = (text, ...place) => { words.push(text); write(text, ...place); };
        chart.draw();
        delete pen.fillText;
        return words;
        """
    )

    assert "No figures in this time" in written


def test_the_picture_of_a_chart_has_its_legend(page: Browser, tmp_path: Path) -> None:
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    page.open("/stream/lineup")
    wait_for_chart(page, "bitrate-chart")
    page.click("[data-png=bitrate-chart]")
    png = wait_for(lambda: next(tmp_path.glob("*.png"), None), deadline_s=20, what="a PNG file")

    title, legend, _ = page.js_async(_BANDS, base64.b64encode(png.read_bytes()).decode())
    assert title > 200
    assert legend > 200


@pytest.mark.parametrize("setting", ["denied", "granted"])
def test_a_text_is_copied_or_selected_for_copying_by_hand(page: Browser, setting: str) -> None:
    page.driver.execute_cdp_cmd(
        "Browser.setPermission",
        {"permission": {"name": "clipboard-write"}, "setting": setting, "origin": page.base},
    )
    page.open("/stream/lineup")
    text = page.wait_text("#card-text", "Caller")
    page.click("#copy-card")
    words = "Copied" if setting == "granted" else "Selected: press Ctrl-C."
    page.wait_text("#toasts", words)
    if setting == "denied":
        assert " ".join(page.js("return getSelection().toString()").split()) == text


def test_a_qr_code_says_that_the_passphrase_is_not_in_it(page: Browser) -> None:
    page.open("/stream/parlmt")
    page.wait_text("#card-text", "Passphrase")
    page.click("#show-qr")
    page.wait_text("#qr-words", "The code has no passphrase")
    page.click("#reveal-secret")
    page.wait_text("#card-text", PASSPHRASE)

    assert page.text("#qr-words") == ""
