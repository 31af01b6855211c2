// j and k go from card to card, e says why, / searches, u undoes. Not while somebody types.
import { showRule } from "./bench.js";

const TYPING = "input, textarea, select, [contenteditable], .cm-editor";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest(TYPING)) return;
  const cards = [...document.querySelectorAll("[data-card]")];
  const at = cards.findIndex((card) => card.contains(document.activeElement));
  if (event.key === "j" || event.key === "k") {
    const next = cards[Math.min(cards.length - 1, Math.max(0, at + (event.key === "j" ? 1 : -1)))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  } else if (event.key === "e") {
    const card = cards[Math.max(at, 0)];
    const rule = card?.dataset.rules.split(" ")[0];
    if (rule) showRule(rule);
  } else if (event.key === "u") {
    document.getElementById("undo")?.click();
  } else if (event.key === "/") {
    const search = document.getElementById("pick") ?? document.querySelector('input[type="search"]');
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
});
