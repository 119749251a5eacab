"""The page in a real browser: opened from ``file://`` in a headless Chromium."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from rfplan.report import write_report

pytestmark = pytest.mark.browser
FLAGS = [
    f"--{name}"
    for name in (
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
    )
]
CONTEXT = {
    "title": "Plan <b>of</b> somewhere",
    "synthetic": True,
    "inputs": [{"role": "terrain", "name": "<img src=x onerror=alert(3)>.tif"}],
}


@dataclass
class Opened:
    """A page with what went wrong on it."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


def _chromium() -> str:
    name = os.environ.get("RFPLAN_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    found = name or shutil.which("google-chrome")
    if found is None:
        pytest.skip(reason="no Chromium on this machine: install Debian's package chromium, or set RFPLAN_CHROMIUM")
    return found


@pytest.fixture(scope="module")
def opened(plan_factory: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra 'test')")
    browser = _chromium()
    index = write_report(plan_factory(hostile=True), tmp_path_factory.mktemp("page"), context=CONTEXT)
    profile = tmp_path_factory.mktemp("profile")
    with playwright.sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            str(profile), executable_path=browser, headless=True, args=FLAGS, viewport={"width": 1400, "height": 900}
        )
        page = context.new_page()
        state = Opened(page)
        page.on("console", lambda m: state.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: state.complaints.append(str(e)))
        page.on("requestfailed", lambda r: state.complaints.append(f"failed: {r.url[:80]}"))
        page.on("dialog", lambda d: (state.complaints.append(f"dialog {d.message}"), d.dismiss()))
        page.on("request", lambda r: None if r.url.startswith("data:") else state.requests.append(r.url))
        page.goto(Path(index).as_uri())
        page.wait_for_function("() => window.rfplanReport && document.querySelector('#map .theme')")
        yield state
        context.close()


def test_opens_without_complaint_or_request(opened: Opened) -> None:
    opened.page.wait_for_timeout(200)
    assert opened.complaints == []
    assert len(opened.requests) == 1
    assert opened.requests[0].startswith("file://")
    assert opened.page.title() == CONTEXT["title"]
    assert opened.page.locator(".badge").inner_text().casefold() == "synthetic data"


def test_every_layer_can_be_shown(opened: Opened) -> None:
    radios = opened.page.locator('input[name="layer"]')
    shown = set()
    for i in range(radios.count()):
        radios.nth(i).check()
        shown.add(radios.nth(i).get_attribute("value"))
        pictures = opened.page.locator("#map img.theme")
        assert pictures.count() <= 1
        if pictures.count():
            assert pictures.first.evaluate("i => i.decode().then(() => i.naturalWidth)") > 40
    wanted = {"change", "before", "after", "new", "rsrp-before", "rsrp-after", "ground", "none"}
    assert wanted <= shown
    assert opened.page.locator("#map img.shade").count() == 1
    assert opened.page.locator("#show-uncoverable").is_checked()
    opened.page.locator("#layer-change").check()
    assert "Newly covered" in opened.page.locator("#legend").inner_text()
    assert opened.complaints == []


def test_known_place_is_where_it_should_be(opened: Opened) -> None:
    """The summit's site: its marker, the overlay's corner and plain Web-Mercator arithmetic agree."""
    found = opened.page.evaluate(
        """() => {
            const r = window.rfplanReport, m = r.existing.getLayers()[0];
            const img = document.querySelector('#map img.theme');
            const at = r.map.latLngToContainerPoint(m.getLatLng()), box = img.getBoundingClientRect();
            const frame = document.getElementById('map').getBoundingClientRect(), layer = r.layers[0];
            return { lat: m.getLatLng().lat, lng: m.getLatLng().lng, x: at.x + frame.left, y: at.y + frame.top,
                     left: box.left, top: box.top, width: box.width, height: box.height, bounds: layer.bounds };
        }"""
    )
    assert (found["lat"], found["lng"]) == pytest.approx((21.4573, 105.5440), abs=1e-5)
    (south, west), (north, east) = found["bounds"]

    def mercator(lat: float) -> float:
        return math.log(math.tan(math.pi / 4 + math.radians(lat) / 2))

    across = (105.5440 - west) / (east - west)
    down = (mercator(north) - mercator(21.4573)) / (mercator(north) - mercator(south))
    assert found["x"] == pytest.approx(found["left"] + across * found["width"], abs=1.5)
    assert found["y"] == pytest.approx(found["top"] + down * found["height"], abs=1.5)


def test_popup_shows_hostile_names_as_text(opened: Opened) -> None:
    opened.page.evaluate("window.rfplanReport.existing.getLayers()[0].openPopup()")
    popup = opened.page.locator(".leaflet-popup")
    assert "<img src=x onerror=alert(1)>" in popup.inner_text()
    assert popup.locator("img").count() == 0
    opened.page.evaluate("window.rfplanReport.planned[0].openPopup()")
    words = opened.page.locator(".leaflet-popup").last.inner_text()
    assert "number 1 of 4" in words.casefold()
    assert "People gained" in words
    assert "km²" in words
    opened.page.evaluate("window.rfplanReport.map.closePopup()")
    assert opened.complaints == []


def test_click_reads_the_level_at_a_point(opened: Opened) -> None:
    opened.page.evaluate(
        """() => { const map = window.rfplanReport.map, ll = L.latLng(21.4603, 105.5440);
                   map.fire('click', { latlng: ll }); }"""
    )
    popup = opened.page.locator(".leaflet-popup-content").last
    popup.wait_for()
    words = popup.inner_text()
    assert "21.4603° N" in words
    assert "RSRP after" in words
    assert "dBm" in words
    assert "Covered today" in words
    opened.page.evaluate("window.rfplanReport.map.closePopup()")


def _column(page: Any, index: int) -> list[float]:
    cells = page.locator(f"#commune-list tbody tr td:nth-child({index})")
    return [float(cells.nth(i).get_attribute("data-v") or "nan") for i in range(cells.count())]


def test_commune_table_sorts_filters_and_zooms(opened: Opened) -> None:
    page = opened.page
    head = page.locator("#commune-list thead th", has_text="Population").first
    index = 1 + head.evaluate("h => h.cellIndex")
    head.locator("button").click()
    assert _column(page, index) == sorted(_column(page, index), reverse=True)
    assert head.get_attribute("aria-sort") == "descending"
    head.locator("button").click()
    assert _column(page, index) == sorted(_column(page, index))
    page.locator('[data-filter="commune-list"]').fill("xa 7")  # without the marks of Xã
    assert page.locator("#commune-list tbody tr:visible").count() == 1
    before = page.evaluate("window.rfplanReport.map.getZoom()")
    page.locator("#commune-list tbody tr:visible .goto").click()
    page.wait_for_function("z => window.rfplanReport.map.getZoom() > z", arg=before)
    page.locator('[data-filter="commune-list"]').fill("")
    assert page.locator("#commune-list tbody tr:visible").count() == 12
    assert opened.complaints == []


def test_build_order_slider_shows_the_first_sites(opened: Opened) -> None:
    page = opened.page
    page.locator("#step").fill("2")
    count = page.evaluate("window.rfplanReport.planned.filter(m => window.rfplanReport.map.hasLayer(m)).length")
    assert count == 2
    assert page.locator("#step-text").inner_text().startswith("2 of 4 new sites")
    page.locator("#step").fill("4")


def test_page_without_sites_or_rest_runs_too(plan_factory: Any, opened: Opened, tmp_path: Path) -> None:
    index = write_report(plan_factory(new=0, communes=(1, 1), patches=0), tmp_path)
    opened.page.goto(index.as_uri())
    opened.page.wait_for_function("() => window.rfplanReport")
    assert opened.complaints == []
    assert opened.page.locator("#stepper").is_hidden()
    assert opened.page.locator("#show-uncoverable").is_disabled()
