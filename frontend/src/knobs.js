// Settings of What if: filtered by letters, and turned from the rule that reads them.
const only = document.getElementById("knob");

export function filterKnobs() {
  const wanted = only.value.trim().toLowerCase();
  for (const knob of document.querySelectorAll("#whatif .knob")) {
    knob.hidden = wanted !== "" && !knob.dataset.words.includes(wanted);
  }
  const fold = document.getElementById("more-knobs");
  if (fold && wanted !== "") fold.open = true;
}

function turn(name) {
  document.getElementById("tab-what-if").click();
  only.value = "";
  filterKnobs();
  const field = document.getElementById(`set-${name}`);
  if (!field) return;
  const fold = field.closest("details");
  if (fold) fold.open = true;
  field.scrollIntoView({ block: "center" });
  field.focus({ preventScroll: true });
  field.select?.();
}

only?.addEventListener("input", filterKnobs);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-turn]");
  if (button) turn(button.dataset.turn);
});
