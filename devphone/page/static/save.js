// Saves what was done as a file for devphone test.

import { attempt } from "./api.js";
import { button, h } from "./dom.js";

// saveButton saves what the query selects.
export function saveButton(label, title, query) {
  return button(label, () => attempt(async () => {
    const response = await fetch("/_scenario?" + new URLSearchParams(query()));
    if (!response.ok) throw new Error(await response.text());
    const name = /filename="([^"]*)"/.exec(response.headers.get("Content-Disposition"))?.[1] ?? "scenario.yaml";
    const url = URL.createObjectURL(await response.blob());
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  }), { title });
}
