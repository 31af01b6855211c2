// Runs exported rules in cql-execution over many charts, in one process.
// Reads a job file (its path is the first argument), writes what each rule said to the second.
"use strict";

const fs = require("node:fs");
const cql = require("cql-execution");
const { PatientSource } = require("cql-exec-fhir");
const { PatientContext } = require("cql-execution/lib/runtime/context.js");

// Membership by a look-up. The engine's own value sets go through their codes one by one.
class LookedUp {
  constructor(codes) {
    this.keys = new Set(codes.map(([system, code]) => `${system}|${code}`));
  }

  hasMatch(code) {
    const codes = Array.isArray(code) ? code : (code.codes ?? [code]);
    return codes.some((one) => this.keys.has(`${one.system}|${one.code}`));
  }
}

class CodeService {
  constructor(sets) {
    this.sets = new Map(Object.entries(sets).map(([url, codes]) => [url, new LookedUp(codes)]));
  }

  findValueSet(url) {
    return this.sets.get(url) ?? null;
  }
}

// All libraries share one context for each chart, so that a fact is evaluated once and not once
// for each library that includes it.
function contexts(libraries, patient, service, parameters, now) {
  const known = new Map();
  const context = (library) => {
    const name = library.source.library.identifier.id;
    if (!known.has(name)) {
      const made = new PatientContext(library, patient, service, parameters, now);
      made.getLibraryContext = (local) => context(library.get(local));
      known.set(name, made);
    }
    return known.get(name);
  };
  return context;
}

function word(value) {
  return value === true ? "fires" : value === false ? "no" : "unknown";
}

async function outcomes(job, chart, source, service, libraries) {
  source.reset();
  source.loadBundles([chart.bundle]);
  const now = cql.DateTime.parse(chart.now.replace("Z", "+00:00"));
  const parameters = { ...chart.parameters, Now: now };
  const context = contexts(libraries, source.currentPatient(), service, parameters, now);
  const said = {};
  for (const [library, name] of chart.ask.map((rule) => [job.rules[rule] ?? job.facts, rule])) {
    const own = context(libraries[library]);
    try {
      const value = await libraries[library].expressions[name].execute(own);
      said[name] = job.raw ? value : word(value);
    } catch (error) {
      said[name] = `error: ${error.message}`;
    }
  }
  return said;
}

async function main() {
  process.env.TZ = "UTC";
  const job = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
  const repository = new cql.Repository(job.libraries);
  const libraries = Object.fromEntries(
    Object.entries(job.libraries).map(([name, elm]) => [name, new cql.Library(elm, repository)]),
  );
  const source = PatientSource.FHIRv401();
  const service = new CodeService(job.valueSets);
  const said = [];
  for (const chart of job.charts) {
    said.push(await outcomes(job, chart, source, service, libraries));
  }
  fs.writeFileSync(process.argv[3], JSON.stringify(said));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
