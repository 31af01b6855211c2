// The charts before each change, kept in the page alone; Undo shows the last of them again.
const MOST = 50;
const past = [];
let before = null;
let undoing = false;
let sliding = false; // a slide is one change, however many values it went through

const held = () => document.getElementById("chart-json").value;

// `keep` is "rows" while a value of the chart is being slid.
export function asked(keep) {
  if (undoing) return;
  before = sliding ? null : held();
  sliding = keep === "rows";
}

export function answered() {
  if (!undoing && before !== null && before !== held()) past.push(before);
  if (past.length > MOST) past.shift();
  before = null;
  undoing = false;
  const button = document.getElementById("undo");
  if (button) button.disabled = past.length === 0;
}

document.getElementById("undo")?.addEventListener("click", (event) => {
  const last = past.pop();
  if (last === undefined) {
    event.preventDefault();
    return;
  }
  undoing = true;
  document.getElementById("chart-json").value = last;
});
