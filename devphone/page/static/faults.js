// What goes wrong with the agent's requests.

import { attempt, control } from "./api.js";
import { button, field, h } from "./dom.js";
import { store } from "./store.js";

const operations = [
  "POST /v1/messages", "POST /v1/calls", "GET /v1/calls/{call_id}", "POST /v1/calls/{call_id}/end", "GET /v1/agents", "PATCH /v1/agents/{agent_id}",
  "GET /v1/conversations", "POST /v1/numbers", "POST /v1/webhooks", "POST /v1/messages/{message_id}/reactions",
];

const number = (name, value, min, max) => h("input", { type: "number", name, value, min: String(min), max: String(max) });

export function showFaults(box) {
  const inputs = {
    operation: h("input", { type: "text", name: "operation", placeholder: "any", autocomplete: "off" }),
    matching: h("input", { type: "text", name: "matching", placeholder: "any text", autocomplete: "off" }),
    status: number("status", "503", 0, 599),
    delayMs: number("delayMs", "0", 0, 86400000),
    every: number("every", "1", 1, 1000),
    times: number("times", "1", -1, 1000),
    reset: h("input", { type: "checkbox", name: "reset" }),
    beforeEffect: h("input", { type: "checkbox", name: "beforeEffect" }),
  };
  inputs.operation.setAttribute("list", "operations");
  const form = h("form", {
    class: "stack",
    onsubmit(event) {
      event.preventDefault();
      const fault = {
        operation: inputs.operation.value.trim(), matching: inputs.matching.value, status: inputs.reset.checked ? 0 : Number(inputs.status.value),
        delayMs: Number(inputs.delayMs.value), every: Number(inputs.every.value), times: Number(inputs.times.value), reset: inputs.reset.checked,
        beforeEffect: inputs.beforeEffect.checked,
      };
      attempt(() => control("POST", "/faults", fault));
    },
  },
    h("datalist", { id: "operations" }, operations.map((value) => h("option", { value }))),
    field("Operation", inputs.operation), field("Path or body contains", inputs.matching),
    h("div", { class: "grid" }, field("Status (0: only delayed)", inputs.status), field("Delay, ms", inputs.delayMs),
      field("Each nth request", inputs.every), field("Times (-1: all)", inputs.times)),
    field("Break the connection instead", inputs.reset), field("Before it takes effect", inputs.beforeEffect),
    h("button", { type: "submit" }, "Inject the fault"));
  const active = h("ul", { class: "plain", "aria-label": "Faults", "aria-live": "polite" });
  const clear = button("Remove all faults", () => attempt(() => control("DELETE", "/faults")));
  box.replaceChildren(form, h("h3", null, "Active"), active, clear);

  let shown;
  return () => {
    if (!store.setup || shown === store.setup.faults) return;
    shown = store.setup.faults;
    active.replaceChildren(...shown.map((fault) => h("li", null, describe(fault))));
    if (shown.length === 0) active.append(h("li", { class: "empty" }, "None."));
    clear.hidden = shown.length === 0;
  };
}

function describe(fault) {
  return [
    fault.operation || "any operation", fault.matching && `with "${fault.matching}"`, fault.every > 1 && `each ${fault.every}th`,
    fault.reset ? "breaks the connection" : fault.status ? "status " + fault.status : "", fault.delayMs > 0 && fault.delayMs + " ms late",
    fault.beforeEffect && "before it takes effect", fault.times < 0 ? "always" : fault.times + " left",
  ].filter(Boolean).join(", ");
}
