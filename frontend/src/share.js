// A chart and its changes as a link: packed behind the "#", which no browser sends to a server.
import { said } from "./copy.js";

const form = document.getElementById("bench");
const MARK = "#chart=";
const TAKEN = /^(set\.|rule\.|profile$|profile\.here$|now$|service$)/;

async function packed(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function unpacked(text) {
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).text();
}

async function link() {
  const fields = [...new FormData(form)].filter(([name, value]) => TAKEN.test(name) && value !== "");
  const chart = document.getElementById("chart-json").value;
  const text = await packed(JSON.stringify({ chart, fields }));
  return `${location.origin}${location.pathname}${MARK}${text}`;
}

async function open() {
  if (!form || !location.hash.startsWith(MARK)) return;
  let held;
  try {
    held = JSON.parse(await unpacked(location.hash.slice(MARK.length)));
  } catch {
    document.getElementById("flash").textContent = "The link holds no chart that can be read.";
    return;
  }
  const sent = new FormData();
  sent.append("csrf", document.querySelector('meta[name="csrf"]').content);
  sent.append("chart", String(held.chart));
  for (const [name, value] of held.fields ?? []) {
    if (TAKEN.test(name)) sent.append(name, String(value));
  }
  const answer = await fetch(form.action, {
    method: "POST",
    body: sent,
    headers: { "HX-Request": "true" },
  });
  htmx.swap(document.body, await answer.text(), { swapStyle: "none" });
  history.replaceState(null, "", location.pathname);
}

document.getElementById("link")?.addEventListener("click", async (event) => {
  await navigator.clipboard.writeText(await link());
  said(event.target, "copied");
});
window.addEventListener("hashchange", open);
document.addEventListener("DOMContentLoaded", open);
