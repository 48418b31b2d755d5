// Writes the JSON Schemas of wanted.ts to standard output. How to run it: README.md.
import fs from "node:fs";
import { createGenerator } from "ts-json-schema-generator";

const WANTED = "wanted.ts";
const names = [...fs.readFileSync(WANTED, "utf8").matchAll(/^export type (\w+)/gm)].map((match) => match[1]);
const generator = createGenerator({
  path: WANTED,
  tsconfig: "tsconfig.json",
  expose: "export",
  skipTypeCheck: true,
  // Slack adds keys at any time; a key of ours that is too many is harmless to an app.
  additionalProperties: true,
  jsDoc: "none",
});

/** One definition of one wanted type; `id` grows until it tells different definitions apart. */
const found = names.flatMap((wanted) => {
  const { definitions } = generator.createSchema(wanted);
  return Object.entries(definitions).map(([name, schema]) => ({ wanted, name, schema, id: name }));
});

/** The schema with each reference rewritten by `rename`, and without the default "more keys are fine". */
function rewritten(schema, rename) {
  if (Array.isArray(schema)) return schema.map((part) => rewritten(part, rename));
  if (schema === null || typeof schema !== "object") return schema;
  const kept = Object.entries(schema).filter(([key, value]) => key !== "additionalProperties" || value === false);
  return Object.fromEntries(
    kept.map(([key, value]) => {
      const refers = key === "$ref" && typeof value === "string";
      return [key, refers ? rename(decodeURIComponent(value.split("/").pop())) : rewritten(value, rename)];
    }),
  );
}

function ids() {
  return new Map(found.map(({ wanted, name, id }) => [`${wanted} ${name}`, id]));
}

// Types of one name in two answers are often different types, and often the same: told apart by what they
// hold, then by what the types they refer to hold, until nothing more is told apart.
for (let before = 0, now = 1; now !== before; ) {
  before = now;
  const known = ids();
  const numbers = new Map();
  for (const each of found) {
    const inner = rewritten(each.schema, (name) => known.get(`${each.wanted} ${name}`));
    const key = JSON.stringify([each.name, inner]);
    if (!numbers.has(key)) numbers.set(key, [...numbers.keys()].filter((k) => JSON.parse(k)[0] === each.name).length);
    each.next = numbers.get(key) === 0 ? each.name : `${each.name}_${numbers.get(key) + 1}`;
  }
  for (const each of found) each.id = each.next;
  now = new Set(found.map(({ id }) => id)).size;
}

const known = ids();
const definitions = new Map();
for (const { wanted, schema, id } of found) {
  definitions.set(id, rewritten(schema, (name) => `#/definitions/${known.get(`${wanted} ${name}`)}`));
}
const lines = [...definitions].sort(([one], [other]) => (one < other ? -1 : 1));
// A line for each definition: small, and a later version can still be compared with this one.
const body = lines.map(([id, schema]) => `${JSON.stringify(id)}:${JSON.stringify(schema)}`).join(",\n");
process.stdout.write(`{"definitions":{\n${body}\n}}\n`);
