"use strict";
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const content = read("figures-json");
  const runs = read("data").runs;
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  const whole = new Intl.NumberFormat("en");

  // --- light and dark: the reader's choice, else the system's -------------------------------------
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = null;
  const isDark = () => (chosen ?? (system.matches ? "dark" : "light")) === "dark";
  const paint = () => {
    root.dataset.theme = isDark() ? "dark" : "light";
    for (const place of document.querySelectorAll("[data-chart]"))
      if (place.data) Plotly.relayout(place, colours());
  };
  const colours = () => {
    const style = getComputedStyle(root);
    const ink = style.getPropertyValue("--ink").trim();
    const line = style.getPropertyValue("--line").trim();
    const axis = (name) => ({ [`${name}.gridcolor`]: line, [`${name}.zerolinecolor`]: line, [`${name}.linecolor`]: line });
    const card = style.getPropertyValue("--card").trim();
    return { "font.color": ink, "hoverlabel.bgcolor": card, "hoverlabel.font.color": ink, ...axis("xaxis"), ...axis("yaxis") };
  };
  byId("theme").addEventListener("click", () => { chosen = isDark() ? "light" : "dark"; paint(); });
  system.addEventListener("change", paint);

  // --- tables of configurations -------------------------------------------------------------------
  const row = (cells, tag = "td") => {
    const line = document.createElement("tr");
    for (const text of cells) {
      const cell = document.createElement(tag);
      cell.textContent = text;
      line.append(cell);
    }
    return line;
  };
  const differences = (one, other, names) => {
    const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
    const lines = keys.filter((key) => key !== "name" && one[key] !== other[key]);
    const table = byId("differences");
    table.replaceChildren(row(["", ...names], "th"));
    for (const key of lines) table.append(row([key, one[key] ?? "-", other[key] ?? "-"]));
    if (!lines.length) table.replaceChildren(row(["The configurations are the same."]));
  };
  const names = Object.keys(runs);
  byId("everything").append(...Object.entries(runs[names[0]] ?? {}).map((pair) => row(pair)));
  if (byId("one")) {
    const selects = [byId("one"), byId("other")];
    selects.forEach((select, number) => {
      for (const name of names) select.append(new Option(name, name));
      select.selectedIndex = Math.min(number, names.length - 1);
      select.addEventListener("change", show);
    });
    function show() {
      const [one, other] = selects.map((select) => select.value);
      differences(runs[one], runs[other], [one, other]);
    }
    show();
  }
  byId("another")?.addEventListener("change", async (event) => {
    const page = new DOMParser().parseFromString(await event.target.files[0].text(), "text/html");
    const found = page.getElementById("data");
    const table = byId("differences");
    if (!found) return table.replaceChildren(row(["This is no report.html of a run."]));
    const theirs = JSON.parse(found.textContent).runs;
    const [name] = Object.keys(theirs);
    differences(runs[names[0]], theirs[name], [names[0], name]);
  });

  // --- charts -------------------------------------------------------------------------------------
  const base = () => ({
    font: { family: getComputedStyle(document.body).fontFamily, size: 12 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    margin: { l: 56, r: 12, t: 34, b: 48 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: "#8a939b", activecolor: "#0072b2" },
    legend: { orientation: "h", y: -0.22, x: 0 },
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom",
    autosize: true,
  });
  const UNDER_TITLE = 62, LEAST_CHART = 300; // pixels
  const options = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };

  const axisOfRivals = (place) => {
    const { axes, limits } = place.layout.meta;
    const keys = Object.keys(axes);
    const number = Number(byId("axis").value);
    const limit = limits[keys[number]];
    const shapes = limit ? [{ type: "line", x0: limit, x1: limit, y0: 0, y1: 1, yref: "paper", line: { color: "#d55e00", width: 2, dash: "dash" } }] : [];
    const x = place.data.map((trace) => trace.customdata.map((costs) => costs[number]));
    Plotly.update(place, { x }, { "xaxis.title.text": axes[keys[number]], "xaxis.autorange": true, shapes });
  };
  const tellRival = (point) => {
    const rival = content.rivals[point.customdata.at(-1)];
    byId("rival").textContent = rival
      ? `${(100 * rival.accuracy).toFixed(2)} %: ${whole.format(rival.parameters)} parameters, ${whole.format(rival.macs)} multiply-adds, ` +
        `${whole.format(rival.flash_bytes)} B of flash, ${whole.format(rival.sram_bytes)} B of RAM, ${rival.resolution}×${rival.resolution} pixels`
      : `${point.data.name}: ${(100 * point.y).toFixed(2)} %`;
  };
  const showPictures = (point) => {
    const predicted = point.pointIndex[1], real = point.pointIndex[0];
    const cell = content.pictures.find((one) => one.true === real && one.predicted === predicted);
    byId("cell").textContent = `${point.y} taken for ${point.x}: ${whole.format(point.customdata)} images` + (cell ? ", such as" : "");
    byId("pictures").replaceChildren(...(cell?.pictures ?? []).map((data) => {
      const image = new Image();
      image.src = `data:image/webp;base64,${data}`;
      image.alt = `${point.y}, taken for ${point.x}`;
      return image;
    }));
  };
  // A long legend must neither scroll in itself nor leave the chart no room.
  const makeRoom = async (place) => {
    const { legend, height, showlegend } = place._fullLayout;
    const wanted = showlegend ? Math.max(2 * legend._height, legend._height + LEAST_CHART) : 0;
    if (wanted <= height) return;
    place.style.height = `${Math.ceil(wanted)}px`;
    await Plotly.Plots.resize(place);
  };
  const drawOne = async (place) => {
    const name = place.dataset.chart;
    const figure = content.charts[name];
    await Plotly.newPlot(place, figure.data, { ...base(), ...figure.layout }, options);
    await Plotly.relayout(place, { ...colours(), "xaxis.automargin": true, "yaxis.automargin": true });
    await makeRoom(place);
    // Below the axis's title, however high the chart is: Plotly counts in heights of the chart.
    if (place.layout.xaxis.title?.text) await Plotly.relayout(place, { "legend.y": -UNDER_TITLE / place._fullLayout._size.h });
    if (name === "rivals") {
      place.on("plotly_click", (event) => tellRival(event.points[0]));
      byId("axis").addEventListener("change", () => axisOfRivals(place));
      axisOfRivals(place);
    }
    if (name === "confusion") place.on("plotly_click", (event) => showPictures(event.points[0]));
  };
  const draw = async () => {
    for (const place of document.querySelectorAll("[data-chart]")) {
      try {
        await drawOne(place);
      } catch (error) { // the others can still be read
        console.error(error);
        place.textContent = `The chart could not be drawn: ${error.message}`;
      }
    }
    root.dataset.drawn = "yes";
  };
  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };
  paint();
  const library = byId("library");
  if (library)
    unpack(library.textContent).then((code) => {
      const script = document.createElement("script");
      script.textContent = code;
      document.head.append(script);
      return draw();
    }).catch((error) => {
      root.dataset.drawn = "failed";
      console.error(error);
      for (const place of document.querySelectorAll("[data-chart]"))
        place.textContent = `This browser cannot draw the chart (${error.message}); one of 2023 or later can.`;
    });
})();
