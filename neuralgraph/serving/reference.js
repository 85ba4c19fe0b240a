// Draws the OpenAPI description as a page; texts are put in as text.
"use strict";

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

async function draw() {
  const described = await (await fetch("/openapi.json")).json();
  const parts = [];
  for (const [path, operations] of Object.entries(described.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      parts.push(element("h2", `${method.toUpperCase()} ${path}`));
      const media = Object.keys(operation.responses["200"].content).join(", ");
      const open = operation.security !== undefined || described.security === undefined;
      parts.push(element("p", `${operation.summary}. Gives ${media}${open ? "" : "; needs a token"}.`));
      const rows = operation.parameters.map((parameter) =>
        element("tr", "", element("td", parameter.name), element("td", parameter.schema.type), element("td", parameter.description ?? "")));
      if (rows.length > 0) parts.push(element("table", "", ...rows));
    }
  }
  document.getElementById("paths").replaceChildren(...parts);
}

draw();
