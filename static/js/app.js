/* Page-wide behaviour that is an addition only: keyboard shortcuts, copy buttons, the shortcuts dialog.
   Everything here has a visible control or link that works without it. */
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.replace("no-js", "js");

  const places = {};
  for (const link of document.querySelectorAll("[data-go]")) places[link.dataset.go] = link.href;

  const dialog = document.getElementById("shortcuts");
  const isTyping = (target) => target.closest("input, select, textarea, [contenteditable]") !== null;
  let isGoing = false;

  const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
  const move = (step) => {
    const all = rows();
    if (all.length === 0) return;
    const here = all.indexOf(document.activeElement);
    const next = here < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, here + step));
    all[next].focus();
    all[next].scrollIntoView({ block: "nearest" });
  };
  const follow = (selector) => {
    const link = document.querySelector(selector);
    if (link) link.click();
  };

  document.addEventListener("keydown", (event) => {
    if (document.body.dataset.keys === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (dialog && dialog.open && event.key !== "?") return;
    if (isGoing) {
      isGoing = false;
      if (places[event.key]) {
        event.preventDefault();
        location.href = places[event.key];
      }
      return;
    }
    const actions = {
      g: () => { isGoing = true; setTimeout(() => { isGoing = false; }, 1500); },
      j: () => move(1),
      k: () => move(-1),
      "[": () => follow("[rel=prev]"),
      "]": () => follow("[rel=next]"),
      u: () => follow("[data-up]"),
      "/": () => { const search = document.querySelector("[data-search]"); if (search) { search.focus(); search.select(); } },
      "?": () => { if (dialog) dialog.open ? dialog.close() : dialog.showModal(); },
    };
    const action = actions[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });

  document.addEventListener("click", async (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) {
      const target = document.getElementById(opener.dataset.opens);
      if (target) { event.preventDefault(); target.showModal(); }
      return;
    }
    const copier = event.target.closest("[data-copies]");
    if (!copier) return;
    const source = document.getElementById(copier.dataset.copies);
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      copier.textContent = "Copied";
    } catch {
      copier.textContent = "Select and copy by hand";
    }
  });
})();
