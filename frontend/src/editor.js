// The editor of rules and settings: completion from our schemas, problems as `rules check` tells
// them, the text in force beside it on demand. The textarea stays the form's field.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import { bracketMatching, foldGutter, HighlightStyle, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { linter, lintGutter, lintKeymap } from "@codemirror/lint";
import { unifiedMergeView } from "@codemirror/merge";
import { searchKeymap } from "@codemirror/search";
import { Compartment, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { at, Schemas } from "./schema.js";

const form = document.getElementById("editing");
const source = document.getElementById("source");
const place = document.getElementById("editor");
const schemas = new Schemas(form.dataset.schemas, form.dataset.schema);
let names = {};
fetch(form.dataset.names).then(async (answer) => { names = await answer.json(); });

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: tags.string, color: "var(--yes)" },
  { tag: tags.number, color: "var(--warning)" },
  { tag: [tags.bool, tags.null], color: "var(--critical)" },
]);

const look = EditorView.theme({
  "&": { backgroundColor: "var(--paper)", color: "var(--ink)" },
  "&.cm-focused": { outline: "2px solid var(--accent)" },
  ".cm-content": { fontFamily: "ui-monospace, monospace", caretColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--quiet)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--accent-soft)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--lit) !important" },
  ".cm-tooltip": { backgroundColor: "var(--paper)", color: "var(--ink)", border: "1px solid var(--strong-line)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--ink)" },
  ".cm-changedLine, .cm-insertedLine": { backgroundColor: "var(--gain)" },
  ".cm-deletedChunk": { backgroundColor: "var(--loss)" },
  ".cm-deletedChunk .cm-deletedText, .cm-changedText": { color: "var(--ink)" },
});

async function ask(thorough) {
  const body = new FormData(form);
  if (thorough) body.append("thorough", "1");
  const answer = await fetch(form.dataset.check, { method: "POST", body });
  return answer.ok ? (await answer.json()).problems : [];
}

const syntax = jsonParseLinter();

async function problems(view) {
  const broken = syntax(view);
  if (broken.length) return broken;
  const found = await ask(false);
  tell(found, false);
  return found.filter((one) => one.here).map((one) => mark(view.state.doc, one));
}

function mark(doc, one) {
  const line = doc.line(Math.min(Math.max(one.line, 1), doc.lines));
  const from = Math.min(line.from + Math.max(one.column - 1, 0), line.to);
  const hint = one.hint ? ` ${one.hint}` : "";
  return { from, to: line.to, severity: one.severity, message: `${one.code} ${one.message}${hint}` };
}

function tell(found, all) {
  const errors = found.filter((one) => one.severity === "error").length;
  const words = found.length
    ? `${errors} error(s), ${found.length - errors} warning(s)`
    : all ? "Everything checked: no errors, no warnings." : "No errors.";
  document.getElementById("verdict").textContent = words;
  const list = document.getElementById("problems");
  list.replaceChildren(...found.map((one) => {
    const line = document.createElement("p");
    line.className = "small";
    line.textContent = `${one.here ? `line ${one.line}` : `${one.file}:${one.line}`}  ${one.code}  ${one.message} ${one.hint}`;
    return line;
  }));
}

// What may stand where the cursor is: names of properties, allowed words, names of the pack.
async function complete(context) {
  const node = syntaxTree(context.state).resolveInner(context.pos, -1);
  const word = context.matchBefore(/"?[\w.$-]*/);
  if (!context.explicit && (!word || word.from === word.to)) return null;
  const spot = at(context.state, node);
  const options = spot.key === null
    ? (await schemas.properties(spot.path)).map(([label, info]) => ({ label: `"${label}"`, apply: `"${label}": `, detail: info.slice(0, 80), type: "property" }))
    : [
        ...Object.entries(names[spot.key] ?? {}).map(([label, info]) => ({ label: `"${label}"`, detail: info.slice(0, 80), type: "variable" })),
        ...(await schemas.values([...spot.path, spot.key])).map((value) => ({ label: JSON.stringify(value), type: "enum" })),
      ];
  const after = context.state.sliceDoc(context.pos, context.pos + 1) === '"' ? 1 : 0;
  return options.length ? { from: word?.from ?? context.pos, to: context.pos + after, options, validFor: /^"?[\w.$-]*$/ } : null;
}

const merge = new Compartment();
const view = new EditorView({
  parent: place,
  state: EditorState.create({
    doc: source.value,
    extensions: [
      EditorView.cspNonce.of(document.querySelector('meta[name="style-nonce"]').content),
      EditorView.contentAttributes.of({ "aria-label": "Text of the file" }),
      EditorView.lineWrapping,
      EditorView.updateListener.of((update) => {
        if (update.docChanged) source.value = update.state.doc.toString();
      }),
      lineNumbers(), foldGutter(), history(), drawSelection(), bracketMatching(), closeBrackets(),
      highlightActiveLine(), json(), syntaxHighlighting(colours), look,
      autocompletion({ override: [complete] }),
      linter(problems, { delay: 500 }), lintGutter(),
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...completionKeymap, ...lintKeymap]),
      merge.of([]),
    ],
  }),
});
view.scrollDOM.tabIndex = 0; // whoever has only a keyboard scrolls it
source.hidden = true;
place.hidden = false;

document.getElementById("check-all").addEventListener("click", async (event) => {
  event.target.disabled = true;
  tell(await ask(true), true);
  event.target.disabled = false;
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.pathInfo?.requestPath?.endsWith("/edit/diff")) return;
  const original = source.dataset.original;
  view.dispatch({ effects: merge.reconfigure(unifiedMergeView({ original, mergeControls: false })) });
});
