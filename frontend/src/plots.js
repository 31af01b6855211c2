// Time series: every <div data-plot> draws the numbers of the table that it names.
import uPlot from "uplot";

for (const place of document.querySelectorAll("[data-plot]")) {
  const table = document.getElementById(place.dataset.plot);
  const rows = [...table.querySelectorAll("tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent.trim()));
  const heads = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
  if (!rows.length) continue;
  const data = heads.map((_, column) => rows.map((row) => (column ? Number(row[column]) : Date.parse(row[0]) / 1000)));
  const ink = getComputedStyle(document.body).color;
  new uPlot({
    width: place.clientWidth,
    height: 200,
    series: [{}, ...heads.slice(1).map((label, index) => ({ label, stroke: getComputedStyle(probe(index)).color, width: 2, points: { show: true } }))],
    axes: [{ stroke: ink, grid: { show: false } }, { stroke: ink, grid: { stroke: "rgba(128,128,128,.2)" } }],
    scales: { y: { range: (_, low, high) => [Math.min(0, low), high || 1] } },
  }, data, place);

  function probe(index) {
    const one = document.createElement("span");
    one.style.color = `var(${["--accent", "--yes", "--critical", "--warning"][index % 4]})`;
    place.append(one);
    return one;
  }
}
