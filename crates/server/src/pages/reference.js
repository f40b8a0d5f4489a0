// Draws the OpenAPI document of this server: operations by tag, then schemas.

const METHODS = ["get", "post", "put", "delete", "patch"];
const element = (id) => document.getElementById(id);

function make(tag, className, ...content) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...content);
  return node;
}

const schemaName = (reference) => reference.split("/").pop();

// A schema in one line, with links to those that have a name.
function type(schema) {
  if (!schema) return make("span", "faint", "anything");
  if (schema.$ref) {
    const link = make("a", "", schemaName(schema.$ref));
    link.href = `#schema-${schemaName(schema.$ref)}`;
    return link;
  }
  const choices = schema.oneOf ?? schema.anyOf;
  if (choices) return make("span", "", ...choices.flatMap((choice, index) => (index ? [" or ", type(choice)] : [type(choice)])));
  if (schema.type === "array") return make("span", "", "list of ", type(schema.items));
  if (schema.enum) return make("code", "", schema.enum.map((value) => JSON.stringify(value)).join(" | "));
  const kind = [schema.type ?? "anything"].flat().join(" or ");
  return make("span", "", schema.format ? `${kind} (${schema.format})` : kind);
}

function table(caption, heads, rows) {
  const head = make("tr", "", ...heads.map((text) => make("th", "", text)));
  head.querySelectorAll("th").forEach((th) => (th.scope = "col"));
  const body = rows.map((cells) => make("tr", "", ...cells.map((content) => make("td", "", content))));
  return make("div", "scroll", make("table", "", make("caption", "", caption), make("thead", "", head), make("tbody", "", ...body)));
}

const bodies = (content = {}) => make("span", "", ...Object.entries(content).flatMap(([media, { schema }]) => [make("code", "", media), ": ", type(schema), " "]));

function operation(path, method, facts) {
  const summary = make("summary", "", make("span", "method", method.toUpperCase()), make("span", "path", path),
    make("span", "faint", facts.summary ?? ""));
  const parts = [];
  if (facts.description) parts.push(make("p", "", facts.description));
  if (facts.parameters?.length) {
    parts.push(table("Parameters", ["Name", "In", "Type", "What it is"], facts.parameters.map((one) => [
      make("code", "", one.required ? `${one.name} *` : one.name), one.in, type(one.schema), one.description ?? "",
    ])));
  }
  if (facts.requestBody) parts.push(make("p", "", "Body: ", bodies(facts.requestBody.content)));
  parts.push(table("Answers", ["Status", "What it is", "Body"], Object.entries(facts.responses ?? {}).map(([status, answer]) => [
    make("code", "", status), answer.description ?? "", bodies(answer.content),
  ])));
  const box = make("details", "", summary, make("div", "", ...parts));
  box.dataset.text = `${method} ${path} ${facts.summary ?? ""} ${facts.description ?? ""}`.toLowerCase();
  return box;
}

function schema(name, facts) {
  const required = new Set(facts.required ?? []);
  const rows = Object.entries(facts.properties ?? {}).map(([member, shape]) => [
    make("code", "", required.has(member) ? `${member} *` : member), type(shape), shape.description ?? "",
  ]);
  const box = make("details", "", make("summary", "", make("span", "path", name), make("span", "faint", facts.description ?? "")),
    make("div", "", rows.length ? table("Members", ["Name", "Type", "What it is"], rows) : type(facts)));
  box.id = `schema-${name}`;
  return box;
}

function draw(document) {
  element("title").textContent = document.info.title;
  element("version").textContent = `version ${document.info.version}`;
  element("description").textContent = document.info.description ?? "";
  const groups = new Map();
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const method of METHODS.filter((name) => name in methods)) {
      const tag = methods[method].tags?.[0] ?? "other";
      groups.set(tag, [...(groups.get(tag) ?? []), operation(path, method, methods[method])]);
    }
  }
  element("operations").replaceChildren(...[...groups].map(([tag, operations]) => make("section", "", make("h2", "", tag), ...operations)));
  const schemas = Object.entries(document.components?.schemas ?? {});
  element("schemas").replaceChildren(...schemas.map(([name, facts]) => schema(name, facts)));
}

// A link to a schema opens it.
function open() {
  const target = element(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
}

element("search").addEventListener("input", ({ target }) => {
  const wanted = target.value.toLowerCase();
  for (const box of element("operations").querySelectorAll("details")) box.hidden = !box.dataset.text.includes(wanted);
  for (const group of element("operations").children) group.hidden = !group.querySelector("details:not([hidden])");
});
addEventListener("hashchange", open);

try {
  draw(await (await fetch("/openapi.json")).json());
  open();
} catch (error) {
  element("description").textContent = `The document cannot be read: ${error.message}`;
}
