// Builds what the workbench's pages load: `npm run build` (or `make frontend`).
// The files are committed, so that whoever installs the service needs no Node.
import { build } from "esbuild";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";

const out = process.argv[2] ?? "../cds_service/workbench/static";
mkdirSync(out, { recursive: true });

await build({
  entryPoints: ["src/workbench.js", "src/editor.js", "src/plots.js"],
  outdir: out,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
});
await build({
  entryPoints: ["src/workbench.css"],
  outdir: out,
  bundle: true,
  minify: true,
  target: "es2022",
});
cpSync("node_modules/htmx.org/dist/htmx.min.js", `${out}/htmx.js`);
cpSync("node_modules/uplot/dist/uPlot.min.css", `${out}/plots.css`);
writeFileSync(`${out}/LICENSES.txt`, licences());

function licences() {
  const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
  const shipped = Object.entries(lock.packages).filter(([path, one]) => path && !one.dev);
  return shipped.map(([path, one]) => licence(path, one)).join(`\n${"-".repeat(72)}\n\n`);
}

function licence(path, { version, license }) {
  const head = `${path.replace("node_modules/", "")} ${version} (${license})\n\n`;
  for (const name of ["LICENSE", "LICENSE.md", "LICENCE"]) {
    try {
      return head + readFileSync(`${path}/${name}`, "utf8");
    } catch {
      // the next name
    }
  }
  return head;
}
