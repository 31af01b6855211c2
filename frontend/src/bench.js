// The Try page: what changes asks the server again, and nothing jumps when its answer comes.
import { said } from "./copy.js";
import { filterKnobs } from "./knobs.js";
import { answered, asked } from "./undo.js";

const form = document.getElementById("bench");
let keep = null; // what is being slid must not be replaced under the finger

if (form) {
  form.addEventListener("input", slide);
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-override]")) override(event.target);
    if (event.target.matches("[data-quiet]")) event.stopImmediatePropagation();
    else if (event.target.matches("[data-live]")) keep = null;
  }, true);
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target !== form) return;
    asked(keep);
    if (keep) event.detail.parameters.append("keep", keep);
  });
  document.addEventListener("htmx:beforeSwap", remember);
  document.addEventListener("htmx:afterSettle", restore);
  document.addEventListener("htmx:oobAfterSwap", filter);
  document.addEventListener("htmx:afterSettle", filterKnobs);
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target === form) answered();
  });
  document.getElementById("patients").addEventListener("click", (event) => {
    if (event.target.closest("button")) event.currentTarget.open = false;
  });
  document.addEventListener("htmx:sendError", () => complain("The service does not answer."));
  document.addEventListener("htmx:responseError", (event) => {
    if (!event.detail.xhr.responseText.includes('id="flash"')) {
      complain(`The service answered ${event.detail.xhr.status}. Open the page again.`);
    }
  });
  form.addEventListener("pointerover", light);
  form.addEventListener("focusin", light);
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-download]");
    if (button) download(event, button);
    const why = event.target.closest("[data-why]");
    if (why) showRule(why.dataset.why);
  });
  document.getElementById("only").addEventListener("input", filter);
  document.getElementById("narrow").addEventListener("change", (event) => {
    document.getElementById("cards").classList.toggle("narrow-cards", event.target.checked);
  });
  document.getElementById("pick").addEventListener("keydown", (event) => {
    const first = document.querySelector("#picks button");
    if (event.key === "Enter") {
      event.preventDefault();
      first?.click();
    } else if (event.key === "ArrowDown") first?.focus();
    else if (event.key === "Escape") clearPicks();
  });
  document.getElementById("picks").addEventListener("keydown", (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    if (step) {
      event.preventDefault();
      (document.activeElement[step] ?? document.getElementById("pick")).focus();
    } else if (event.key === "Escape") {
      clearPicks();
      document.getElementById("pick").focus();
    }
  });
  document.getElementById("picks").addEventListener("click", () => setTimeout(clearPicks));
  const drop = document.getElementById("bring");
  document.getElementById("file").addEventListener("change", (event) => take(event.target.files[0]), true);
  form.addEventListener("dragover", (event) => event.preventDefault());
  form.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    drop.open = true;
    take(event.dataTransfer.files[0]);
  });
}

function complain(words) {
  const line = document.createElement("div");
  line.className = "flash bad";
  line.textContent = words;
  document.getElementById("flash").replaceChildren(line);
}

// What an EHR sends when a clinician overrides the card for the reason chosen.
function override(select) {
  const sent = select.closest("[data-card]").querySelector(".sent");
  sent.hidden = select.value === "";
  sent.querySelector("pre").textContent = select.value;
}

function slide(event) {
  const range = event.target;
  if (!range.matches("[data-live]")) {
    const slider = form.querySelector(`[data-for="${CSS.escape(range.id)}"]`);
    if (slider && range.value !== "") slider.value = range.value;
    return;
  }
  document.getElementById(range.dataset.for).value = range.value;
  keep = range.dataset.live;
  clearTimeout(slide.timer);
  slide.timer = setTimeout(() => form.dispatchEvent(new Event("live")), 60);
}

async function take(file) {
  if (!file) return;
  document.getElementById("text").value = await file.text();
  form.querySelector("#bring button").click();
}

function clearPicks() {
  document.getElementById("picks").replaceChildren();
  const pick = document.getElementById("pick");
  pick.value = "";
}

// What was open stays open, what had the focus keeps it, and the page stays where it was.
const kept = { open: new Set(), focus: [], scroll: 0 };
const FOCUSABLE = "summary, input:not([type='hidden']), select, button:not([disabled]), a[href]";

function remember() {
  kept.open = new Set([...form.querySelectorAll("details[open][id]")].map((one) => one.id));
  kept.focus = withIds(document.activeElement);
  kept.scroll = window.scrollY;
}

function restore() {
  for (const id of kept.open) {
    const one = document.getElementById(id);
    if (one) one.open = true;
  }
  if (document.activeElement === document.body) refocus();
  if (Math.abs(window.scrollY - kept.scroll) > 2) window.scrollTo({ top: kept.scroll });
}

// The element and what it stands in, from the inside out.
function withIds(element) {
  const found = [];
  for (let one = element; one && one !== form; one = one.parentElement) if (one.id) found.push(one.id);
  return found;
}

// A button that did its work may be gone: then the first control of what it stood in has the focus.
function refocus() {
  const near = kept.focus.map((id) => document.getElementById(id)).find(Boolean);
  const target = near?.matches(FOCUSABLE) ? near : near?.querySelector(FOCUSABLE);
  target?.focus({ preventScroll: true });
}

function filter() {
  const wanted = document.getElementById("only").value.trim().toLowerCase();
  for (const rule of document.querySelectorAll("#why .rule")) {
    rule.hidden = wanted !== "" && !rule.dataset.words.includes(wanted);
  }
}

// Pointing at what a rule saw lights up the rows of the chart that it came from.
function light(event) {
  for (const row of form.querySelectorAll(".lit")) row.classList.remove("lit");
  const saw = event.target.closest("[data-lights]");
  for (const reference of saw?.dataset.lights.split(" ") ?? []) {
    if (reference) form.querySelector(`[data-ref="${CSS.escape(reference)}"]`)?.classList.add("lit");
  }
}

export function showRule(rule) {
  document.getElementById("tab-why").click();
  const one = document.querySelector(`#why [data-rule="${CSS.escape(rule)}"]`);
  if (!one) return;
  one.hidden = false;
  one.open = true;
  one.scrollIntoView({ block: "nearest" });
  one.querySelector("summary").focus({ preventScroll: true });
}

async function download(event, button) {
  event.preventDefault();
  const answer = await fetch(button.formAction, { method: "POST", body: new FormData(form) });
  if (!answer.ok) return;
  const named = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") ?? "");
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = named?.[1] ?? "file.json";
  link.click();
  URL.revokeObjectURL(link.href);
  said(button, "saved");
}
