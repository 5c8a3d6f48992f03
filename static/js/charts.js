/* Draws the charts: every `[data-chart]` names the JSON element that holds its Plotly figure. Colours in a figure are
   tokens of the stylesheet (`var(--series-1)` or `var(--series-1)/0.2`), so a chart is dark or light with its page.
   After a swap only figures whose data changed are drawn again. Without this script the table below each chart reads. */
(() => {
  "use strict";
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);

  const colour = (token, opacity) => {
    probe.style.color = token;
    const numbers = getComputedStyle(probe).color.match(/[\d.]+/g) || ["0", "0", "0"];
    return `rgba(${numbers.slice(0, 3).join(",")},${opacity})`;
  };
  const resolve = (value) => {
    if (typeof value === "string") {
      const match = /^(var\(--[\w-]+\))(?:\/([\d.]+))?$/.exec(value);
      return match ? colour(match[1], match[2] || 1) : value;
    }
    if (Array.isArray(value)) return value.map(resolve);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolve(item)]));
    }
    return value;
  };

  const drawn = new WeakMap();
  const draw = () => {
    for (const place of document.querySelectorAll("[data-chart]")) {
      const source = document.getElementById(place.dataset.chart);
      if (!source || drawn.get(place) === source.textContent) continue;
      drawn.set(place, source.textContent);
      const figure = resolve(JSON.parse(source.textContent));
      const isNarrow = window.innerWidth < 720;
      if (isNarrow) figure.layout.height = 260 + 18 * figure.data.length;
      Plotly.react(place, figure.data, figure.layout, { displayModeBar: false, responsive: true })
        .then(() => { place.dataset.drawn = "true"; });
    }
  };

  draw();
  document.body.addEventListener("htmx:afterSettle", draw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const place of document.querySelectorAll("[data-chart]")) drawn.delete(place);
    draw();
  });
})();
