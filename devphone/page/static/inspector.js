// What the agent's program requested, and what was delivered to its webhook.

import { attempt, control } from "./api.js";
import { button, clock, h, longText, pretty } from "./dom.js";
import { List } from "./list.js";
import { store } from "./store.js";

const ms = (n) => (n === null || n === undefined ? "" : n + " ms");

// details is a text to read, copied by selecting it.
function details(label, text) {
  if (text === null || text === undefined || text === "") return null;
  return h("div", { class: "details" }, h("h4", null, label), longText(pretty(text), "pre"));
}

// expandable is a list whose rows open.
function expandable(box, { key, label, head, bad, body, empty }) {
  const open = new Set();
  const list = new List(box, {
    key, size: 80, before: "Newer", after: "Older", empty,
    render(item) {
      const isOpen = open.has(key(item));
      const toggle = () => {
        if (!open.delete(key(item))) open.add(key(item));
        list.refresh(key(item));
        list.draw();
      };
      return h("article", {
        class: "entry", "aria-label": label(item),
        onkeydown(event) {
          if (event.key === "Escape" && open.has(key(item))) toggle();
        },
      },
        button(head(item), toggle, { class: bad(item) ? "row bad" : "row", "aria-expanded": String(isOpen), "data-focus": "row" }),
        isOpen && h("div", { class: "body" }, body(item)));
    },
  });
  return list;
}

const newestFirst = (map) => [...map.values()].reverse();

export function showRequests(box) {
  const list = expandable(box, {
    key: (r) => r.number,
    label: (r) => r.operation || r.method + " " + r.path,
    bad: (r) => r.done && (r.status === null || r.status >= 400),
    head: (r) => [
      h("span", { class: "who" }, r.operation || `${r.method} ${r.path}`),
      h("span", { class: "code" }, !r.done ? "…" : r.status === null ? "broken off" : String(r.status)),
      h("span", { class: "via" }, `${clock(r.at)} ${ms(r.durationMs)}${r.faulted ? " fault" : ""}`),
    ],
    body: (r) => [
      details("Path", r.path + (r.query ? "?" + r.query : "")),
      details("Body", r.body),
      details("Response", r.response),
    ],
    empty: "No requests yet.",
  });
  return () => list.update(newestFirst(store.requests));
}

export function showDeliveries(box) {
  const again = (d, how) => attempt(() => control("POST", `/deliveries/${encodeURIComponent(d.id)}/redeliveries`, how));
  const list = expandable(box, {
    key: (d) => d.id,
    label: (d) => `${d.event} ${d.channel ?? ""} ${d.status}`,
    bad: (d) => d.status === "failed",
    head: (d) => {
      const last = d.attempts.at(-1);
      return [
        h("span", { class: "who" }, `${d.event} · ${d.channel ?? ""}`),
        h("span", { class: "code" }, last?.status ? String(last.status) : d.status),
        h("span", { class: "via" }, `${clock(d.createdAt)} ${ms(last?.durationMs)}${d.attempts.length > 1 ? ` attempt ${d.attempts.length}` : ""}`),
      ];
    },
    body: (d) => [
      h("div", { class: "bar" },
        button("Resend", () => again(d, {}), { "data-focus": "resend" }),
        button("Forge", () => again(d, { secret: "whsec_forged" }), { "data-focus": "forge", title: "signed with another secret" }),
        button("Delay", () => again(d, { ageMs: 600000 }), { "data-focus": "delay", title: "signed ten minutes ago" })),
      (store.redeliveries.get(d.id) ?? []).map((r) => attemptBody("Sent again", r.attempt)),
      d.attempts.map((a) => attemptBody("Attempt " + a.number, a)),
      d.nextAttemptAt && h("p", { class: "via" }, "next attempt at " + clock(d.nextAttemptAt)),
      details("To", d.url),
      details("Payload", d.payload),
    ],
    empty: "Nothing has been delivered. Is there a webhook? See Setup.",
  });
  return () => list.update(newestFirst(store.deliveries));
}

function attemptBody(label, a) {
  return h("div", { class: "attempt" },
    h("h4", null, `${label}: ${a.status ?? "no response"} · ${ms(a.durationMs)} · ${clock(a.at)}`),
    a.error && h("p", { class: "error" }, longText(a.error, "span")),
    details("Headers", Object.entries(a.header).map(([name, value]) => `${name}: ${value}`).join("\n")),
    details("Response", a.response));
}
