// Reads our JSON Schemas just far enough to complete: properties and words at a place.
import { syntaxTree } from "@codemirror/language";

// Where a node stands: the path of keys above it, and the key whose value it is (null in a key).
export function at(state, node) {
  const path = [];
  let key = null;
  let first = true;
  for (let one = node; one; one = one.parent) {
    if (one.name === "Property") {
      const name = one.getChild("PropertyName");
      const inName = first && name && node.from >= name.from && node.to <= name.to;
      first = false;
      if (inName || !name) continue;
      path.unshift(JSON.parse(state.sliceDoc(name.from, name.to)));
    } else if (one.name === "Object" || one.name === "Array") first = false;
  }
  const holder = enclosing(node);
  if (holder?.name === "Property") key = path.pop() ?? null;
  return { path, key };
}

function enclosing(node) {
  let one = node;
  if (one.name === "PropertyName") return one.parent.parent;
  while (one && !["Object", "Array", "Property"].includes(one.name)) one = one.parent;
  return one?.name === "Array" ? one.parent : one;
}

export class Schemas {
  #folder;
  #name;
  #files = new Map();

  constructor(folder, name) {
    this.#folder = folder;
    this.#name = name;
  }

  async properties(path) {
    const found = new Map();
    for (const one of await this.#places(path)) {
      for (const [name, value] of Object.entries(one.schema.properties ?? {})) {
        found.set(name, value.description ?? "");
      }
    }
    return [...found];
  }

  async values(path) {
    const found = new Set();
    for (const { schema } of await this.#places(path)) {
      for (const value of schema.enum ?? ("const" in schema ? [schema.const] : [])) found.add(value);
      if (schema.type === "boolean") found.add(true).add(false);
      if (schema.items?.enum) for (const value of schema.items.enum) found.add(value);
    }
    return [...found];
  }

  async #file(name) {
    if (!this.#files.has(name)) {
      const answer = fetch(this.#folder + name).then((got) => (got.ok ? got.json() : {}));
      this.#files.set(name, answer);
    }
    return this.#files.get(name);
  }

  async #places(path) {
    let here = await this.#open({ schema: await this.#file(this.#name), file: this.#name });
    for (const key of path) {
      const below = [];
      for (const { schema, file } of here) {
        const next = schema.properties?.[key] ?? schema.additionalProperties;
        for (const one of [next, ...Object.values(schema.patternProperties ?? {})]) {
          if (one && typeof one === "object") below.push(...(await this.#open({ schema: one, file })));
        }
      }
      here = below;
    }
    return here;
  }

  // A schema with what it refers to and what it is put together of; lists stand for their items.
  async #open({ schema, file }, depth = 0) {
    if (depth > 8 || !schema || typeof schema !== "object") return [];
    const found = [{ schema, file }];
    if (schema.$ref) {
      const [name, pointer] = schema.$ref.split("#");
      const target = name ? name.split("/").pop() : file;
      let part = await this.#file(target);
      for (const step of (pointer ?? "").split("/").filter(Boolean)) part = part?.[step];
      found.push(...(await this.#open({ schema: part, file: target }, depth + 1)));
    }
    const parts = [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? []), schema.then, schema.else, schema.items];
    for (const one of parts) found.push(...(await this.#open({ schema: one, file }, depth + 1)));
    return found;
  }
}
