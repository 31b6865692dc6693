"""The page: its charts are Plotly's, its texts stay in their place, and a browser opens it and works every control."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from tests.support.browser import needs_browser, visited
from tests.tinyml_nas.report.test_report import DEPLOYED, figure
from tinyml_nas.report.page import charts, write_page, write_sweep_page
from tinyml_nas.report.page.library import packed_library
from tinyml_nas.report.result import write_result
from tinyml_nas.types import Result

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
CLASSES = ["cat", "dög", HOSTILE]
CURVE = [0.9, 0.5, 0.7, 0.8]

needs_library = pytest.mark.skipif(
    packed_library() is None, reason="not installed: plotly; `make test` installs it"
)


def rival(accuracy: float, flash: int, **more) -> dict:
    footprint = {"parameters": flash // 2, "macs": 9 * flash, "activations": 7, "omega_bytes": 1}
    cost = {"flash_bytes": flash, "sram_bytes": flash // 10, **footprint}
    return {
        "accuracy": accuracy,
        **cost,
        "resolution": 32,
        "on_front": False,
        "chosen": False,
    } | more


def driven(name: str) -> dict:
    return {
        "name": name,
        "end": figure(0.8, n=5, deviation=0.01),
        "frozen_end": figure(0.6, n=5, deviation=0.0),
        "curves": {"all": CURVE},
        "spreads": {"all": [0.01] * 4},
    }


def full(job: str = "tybox") -> Result:
    """A result with everything that the page can show."""
    memory = {
        model: {
            **counted,
            **{
                f"{name}_parts": {"arena": 1000, "code": counted[f"{name}_bytes"] - 1000}
                for name in ("flash", "ram")
                if f"{name}_bytes" in counted
            },
        }
        for model, counted in DEPLOYED.metrics["memory"].items()
    }
    blocks = [
        {"name": "a", "offset": 0, "size": 64, "first": -1, "last": 0},
        {"name": "working memory", "offset": 64, "size": 16, "first": 0, "last": 0},
        {"name": "b", "offset": 16, "size": 48, "first": 0, "last": 2},
    ]
    more = {
        "search": {
            "rivals": [
                rival(0.8, 100_000, on_front=True),
                rival(0.85, 200_000, on_front=True, chosen=True),
                rival(0.7, 300_000),
            ]
        },
        "test_accuracy": {
            "float": figure(0.8, interval=(0.79, 0.81)),
            "deployed": figure(0.77, interval=(0.76, 0.78)),
        },
        "confusion": {"classes": CLASSES, "matrix": [[8, 1, 1], [2, 7, 1], [0, 0, 10]]},
        "memory": memory,
        "program": {
            "flash_bytes": 271_149,
            "ram_bytes": 34_864,
            "arena_plan": [{"operators": ["CONV_2D", "MEAN"], "blocks": blocks}],
        },
        "quantization": {
            "layers": [{"layer": "one", "db": 30.0}, {"layer": "two", "db": 150.0}],
            "worst_layer": "one",
        },
        "scenario": {
            "world": "ConceptDrift",
            "samples": 4,
            "learner": driven(job),
            "baseline": driven("tinyol"),
        },
    }
    provenance = {
        "device": "nucleo_1mb",
        "stages": [
            {"stage": "search", "key": "k" * 64, "files": None, "versions": {"python": "3"}}
        ],
    }
    return replace(
        DEPLOYED,
        metrics=DEPLOYED.metrics | more,
        overrides=(f"learner={job}", HOSTILE),
        provenance=provenance,
    )


def run(folder: Path, job: str = "tybox") -> Path:
    """The folder of a run, with its pictures and its configuration."""
    write_result(full(job), folder)
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), (200, 30, 30)).save(stream, "WEBP")
    picture = base64.b64encode(stream.getvalue()).decode()
    cells = [{"true": 1, "predicted": 0, "pictures": [picture, picture]}]
    (folder / "pictures.json").write_text(json.dumps(cells))
    (folder / ".hydra").mkdir()
    (folder / ".hydra" / "config.yaml").write_text(
        f"name: x\nlearner:\n  kind: {job}\n  passes: 1\n"
    )
    return folder


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, their pages, and the page of both."""
    folder = tmp_path_factory.mktemp("sweep")
    for number, job in enumerate(("tybox", "rls")):
        write_page(run(folder / f"job-{number}", job))
    write_sweep_page(folder)
    return folder


@needs_library
@pytest.mark.parametrize("of", ["run", "sweep"])
def test_every_chart_is_one_that_plotly_takes(of):
    import plotly.graph_objects as go

    made = charts.of_run(full()) if of == "run" else charts.of_sweep({"a": full(), "b": full()})
    assert [chart.id for chart in made] == (
        ["rivals", "confusion", "memory", "arena", "field", "cost", "layers"]
        if of == "run"
        else ["rivals", "field", "cost"]
    )
    for chart in made:
        go.Figure(chart.figure)  # refuses unknown keys and values


def test_the_memory_map_adds_up_to_what_there_is():
    (chart,) = (chart for chart in charts.of_run(full()) if chart.id == "memory")
    for number, limit in enumerate((256_000, 2_064_384, 1_048_576)):
        sizes = [trace["customdata"][number] or 0 for trace in chart.figure["data"]]
        assert sum(sizes) == limit


def test_each_block_of_the_arena_is_a_bar_over_its_operators():
    (chart,) = (chart for chart in charts.of_run(full()) if chart.id == "arena")
    (trace,) = chart.figure["data"]
    spans = [
        (x - width / 2 + 0.5, x + width / 2 - 0.5)
        for x, width in zip(trace["x"], trace["width"], strict=True)
    ]
    assert spans == [(-1, 0), (0, 0), (0, 2)]
    assert list(zip(trace["base"], trace["y"], strict=True)) == [(0, 64), (64, 16), (16, 48)]


@pytest.mark.parametrize("status", ["infeasible", "failed"])
def test_what_ended_otherwise_has_a_page_too(tmp_path, status):
    write_result(Result(status, {"error": HOSTILE}, (), {}), tmp_path)
    assert status in write_page(tmp_path).read_text()


class Elements(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def test_no_text_leaves_its_place_and_no_address_leads_out(sweep):
    for page in (sweep / "report.html", sweep / "job-0" / "report.html"):
        found = Elements()
        found.feed(page.read_text())
        assert found.tags.count("script") == 3 + (packed_library() is not None)
        assert "img" not in found.tags
        assert all(address.startswith(("#", "data:", "job-")) for address in found.addresses)


def test_the_page_is_small(sweep):
    assert (sweep / "job-0" / "report.html").stat().st_size < 2_500_000


WORK = """
  const one = (id) => document.getElementById(id);
  const until = async (isSo) => {
    for (let tries = 0; tries < 150 && !isSo(); tries++) await sleep(50);
  };
  const seen = { theme: document.documentElement.dataset.theme };
  seen.charts = [...document.querySelectorAll("[data-chart]")].map((place) =>
    [place.dataset.chart, place.querySelectorAll("svg.main-svg").length > 0]);
  seen.ink = one("field").querySelector("[data-chart]").layout.font.color;
  one("theme").click();
  const ink = () => one("field").querySelector("[data-chart]").layout.font.color;
  await until(() => ink() !== seen.ink);
  seen.toggled = document.documentElement.dataset.theme;
  seen.other_ink = ink();
  seen.overflow = document.documentElement.scrollWidth - innerWidth;
  seen.anchors = [...document.querySelectorAll("nav a")].every((link) => one(link.hash.slice(1)));
  const rivals = document.querySelector("[data-chart=rivals]");
  seen.shapes = (rivals.layout.shapes ?? []).map((shape) => shape.x0);
  one("axis").value = "2";
  one("axis").dispatchEvent(new Event("change"));
  await until(() => rivals.layout.xaxis.title.text === "multiply-adds");
  seen.macs = rivals.data.map((trace) => trace.x);
  seen.no_limit = rivals.layout.shapes.length;
  seen.linked = [...document.querySelectorAll("details")].length;
"""
OF_A_RUN = """
  const press = async (place, x, y) => {
    place.scrollIntoView({ behavior: "instant" });
    const layer = place.querySelector(".nsewdrag"), box = layer.getBoundingClientRect();
    const at = { bubbles: true, view: window, clientX: box.left + x * box.width, clientY: box.top + y * box.height };
    let isOver = false, isPressed = false;
    place.on("plotly_hover", () => { isOver = true; });
    place.on("plotly_click", () => { isPressed = true; });
    layer.dispatchEvent(new MouseEvent("mousemove", at));
    await until(() => isOver);
    for (const kind of ["mousedown", "mouseup"]) layer.dispatchEvent(new MouseEvent(kind, at));
    await until(() => isPressed);
  };
  const map = document.querySelector("[data-chart=confusion]");
  await press(map, 1 / 6, 1 / 2);
  seen.cell = one("cell").textContent;
  const pictures = [...document.querySelectorAll("#pictures img")];
  await until(() => pictures.every((image) => image.complete));
  seen.pictures = pictures.map((image) => image.naturalWidth);
  const point = { data: { name: "" }, customdata: rivals.data[0].customdata[0] };
  rivals.emit("plotly_click", { points: [point] });
  seen.rival = one("rival").textContent;
  const file = new File([OTHER], "report.html", { type: "text/html" });
  const given = new DataTransfer();
  given.items.add(file);
  one("another").files = given.files;
  one("another").dispatchEvent(new Event("change"));
  await until(() => one("differences").innerText);
  seen.differences = one("differences").innerText;
  return seen;
"""
OF_A_SWEEP = """
  seen.jobs = [...document.querySelectorAll(".jobs tbody a")].map((link) => link.getAttribute("href"));
  seen.differences = one("differences").innerText;
  one("other").selectedIndex = 0;
  one("other").dispatchEvent(new Event("change"));
  seen.same = one("differences").innerText;
  return seen;
"""


@needs_browser
@needs_library
def test_a_run_opens_in_a_browser_and_every_control_works(sweep, tmp_path):
    other = json.dumps({"runs": {"theirs": {"learner.kind": "rls", "learner.passes": "1"}}})
    theirs = f'`<script id="data" type="application/json">{other}<\\/script>`'
    page = sweep / "job-0" / "report.html"
    outcome = visited(page, WORK + OF_A_RUN.replace("OTHER", theirs), tmp_path)
    assert outcome["errors"] == []
    seen = outcome["found"]
    assert (seen["theme"], seen["toggled"]) == ("light", "dark")
    assert seen["ink"] != seen["other_ink"]
    assert all(drawn for _, drawn in seen["charts"])
    assert len(seen["charts"]) == 7
    assert seen["anchors"]
    assert (seen["shapes"], seen["no_limit"]) == ([2_064_384], 0)
    assert seen["macs"] == [[2_700_000], [900_000, 1_800_000], [1_800_000]]
    assert seen["rival"].startswith("70.00 %: 150,000 parameters")
    assert seen["cell"] == "dög taken for cat: 2 images, such as"
    assert seen["pictures"] == [8, 8]
    assert "learner.kind\ttybox\trls" in seen["differences"]
    assert "passes" not in seen["differences"]


@needs_browser
@needs_library
def test_a_sweep_opens_in_a_narrow_dark_browser(sweep, tmp_path):
    page = sweep / "report.html"
    outcome = visited(page, WORK + OF_A_SWEEP, tmp_path, width=390, dark=True)
    assert outcome["errors"] == []
    seen = outcome["found"]
    assert (seen["theme"], seen["toggled"]) == ("dark", "light")
    assert seen["overflow"] <= 0
    assert [name for name, drawn in seen["charts"] if drawn] == ["rivals", "field", "cost"]
    assert seen["jobs"] == ["job-0/report.html", "job-1/report.html"]
    assert "learner.kind\ttybox\trls" in seen["differences"]
    assert seen["same"] == "The configurations are the same."
