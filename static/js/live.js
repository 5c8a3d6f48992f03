/* Keeps a page that shows changing work up to date: tells htmx when to fetch (`live:tick` on the body), shows how
   fresh the page is, follows the end of a log, and says milestones once. The server decides when it ends: a region
   without `data-live` is final, and without any such region nothing ticks. */
(() => {
  "use strict";
  const SLOWEST_S = 30;
  const LOG_ROWS = 2000;
  let timer = null;
  let failures = 0;
  let lastNews = Date.now();

  // A morph must not undo what a person or a chart did: drawn charts stay, and so do opened folds.
  if (window.Idiomorph) {
    Idiomorph.defaults.callbacks.beforeNodeMorphed = (old) => !(old instanceof Element && old.hasAttribute("data-chart"));
    Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && node.tagName === "DETAILS");
  }

  const wanted = () => {
    const regions = [...document.querySelectorAll("[data-live]")];
    return regions.length ? Math.min(...regions.map((region) => Number(region.dataset.live) || 5)) : null;
  };
  const schedule = () => {
    clearTimeout(timer);
    const seconds = wanted();
    if (seconds === null || document.hidden) return;
    timer = setTimeout(tick, Math.min(SLOWEST_S, seconds * 2 ** failures) * 1000);
  };
  const tick = () => {
    document.body.dispatchEvent(new CustomEvent("live:tick"));
    schedule();
  };

  const showFreshness = () => {
    for (const note of document.querySelectorAll("[data-freshness]")) {
      if (wanted() === null) { note.textContent = ""; continue; }
      const age = Math.round((Date.now() - lastNews) / 1000);
      const isOld = age > 20;
      note.textContent = isOld ? `no news for ${age} s` : `updated ${age} s ago`;
      note.classList.toggle("freshness--old", isOld);
    }
  };

  const announce = () => {
    const region = document.querySelector("[data-milestone]");
    const voice = document.getElementById("milestones");
    if (!region || !voice) return;
    if (voice.dataset.last !== undefined && voice.dataset.last !== region.dataset.milestone) {
      voice.textContent = region.dataset.milestone;
    }
    voice.dataset.last = region.dataset.milestone;
    if (region.dataset.title) document.title = region.dataset.title;
  };

  let wasAtEnd = true;
  document.body.addEventListener("htmx:beforeSwap", () => {
    const log = document.querySelector("[data-log]");
    if (log) wasAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 24;
  });
  document.body.addEventListener("htmx:afterSettle", () => {
    const log = document.querySelector("[data-log]");
    const lines = document.getElementById("log-lines");
    if (lines && wasAtEnd) {
      while (lines.childElementCount > LOG_ROWS) lines.firstElementChild.remove();
    }
    if (log && wasAtEnd) log.scrollTop = log.scrollHeight;
    announce();
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    failures = event.detail.successful ? 0 : Math.min(4, failures + 1);
    if (event.detail.successful) lastNews = Date.now();
    showFreshness();
    schedule();
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : tick()));

  const log = document.querySelector("[data-log]");
  if (log) log.scrollTop = log.scrollHeight;
  announce();
  showFreshness();
  setInterval(showFreshness, 1000);
  schedule();
})();
