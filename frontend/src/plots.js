// Time series: every <div data-plot> draws the numbers of the table that it names.
import uPlot from "uplot";

const DAY = 86400;
const WEEK = 7 * DAY; // the least that is shown, so that the first days have an axis of days
const day = (at) => new Date(at * 1000).toISOString().slice(0, 10);

for (const place of document.querySelectorAll("[data-plot]")) {
  const table = document.getElementById(place.dataset.plot);
  const rows = [...table.querySelectorAll("tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
  const heads = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
  if (!rows.length) continue;
  const data = heads.map((_, column) => rows.map((row) => (column ? Number(row[column]) : Date.parse(row[0]) / 1000)));
  const ink = getComputedStyle(document.body).color;
  const plot = new uPlot({
    width: place.clientWidth,
    height: 200,
    padding: [8, 40, 0, 0],
    series: [{ label: "day", value: (_, at) => (at === null ? "–" : day(at)) }, ...heads.slice(1).map((label, index) => ({ label, stroke: getComputedStyle(probe(index)).color, width: 2, points: { show: true } }))],
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    axes: [{ stroke: ink, grid: { show: false }, incrs: [1, 2, 7, 14, 30, 90].map((days) => days * DAY), values: (_, ticks) => ticks.map(day) }, { stroke: ink, grid: { stroke: "rgba(128,128,128,.2)" } }],
    cursor: { drag: { x: false, y: false } },
    scales: { x: { range: () => [Math.min(data[0][0], data[0].at(-1) - WEEK), data[0].at(-1)] }, y: { range: (_, low, high) => [Math.min(0, low), high || 1] } },
  }, data, place);
  new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: 200 })).observe(place);

  function probe(index) {
    const one = document.createElement("span");
    one.style.color = `var(${["--accent", "--critical", "--yes", "--warning"][index % 4]})`;
    place.append(one);
    return one;
  }
}
