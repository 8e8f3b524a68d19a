// Agents, numbers, webhooks: through the REST API with the account's key. Settings: through the control API.

import { attempt, control, rest } from "./api.js";
import { button, field, h, select } from "./dom.js";
import { store } from "./store.js";

const switches = [
  ["ringing", "Calls ring until they are answered"], ["echoes", "The agent's own texts are delivered to it"],
  ["rateLimits", "Rate limits: 429 to what comes too soon"], ["paymentMethod", "There is a payment method, else 402"],
];
const amounts = [
  ["deliveryTimeoutMs", "Webhook may take, ms"], ["endDelayMs", "Ended calls show late, ms"], ["listDelayMs", "Lists show new things late, ms"],
  ["numberLimit", "Numbers per account"],
];

export function showSetup(box) {
  const accounts = h("div");
  const settings = h("div");
  box.replaceChildren(accounts, settings);
  return () => {
    if (!store.setup) return;
    redraw(accounts, [...store.accounts.values()], (all) => all.map(accountForm));
    redraw(settings, store.setup.settings, settingsForm);
  };
}

// redraw draws what has changed, and keeps the focus.
function redraw(box, value, draw) {
  const now = JSON.stringify(value);
  if (box.now === now) return;
  box.now = now;
  const focused = box.contains(document.activeElement) ? document.activeElement.name : "";
  box.replaceChildren(...[draw(value)].flat());
  if (focused) box.querySelector(`[name="${CSS.escape(focused)}"]`)?.focus();
}

function settingsForm(current) {
  const set = (name, value) => attempt(() => control("PATCH", "/settings", { [name]: value }));
  return h("section", { class: "stack", "aria-label": "Settings" }, h("h3", null, "Settings"),
    switches.map(([name, label]) => field(label, h("input", {
      type: "checkbox", name, checked: current[name], onchange: (event) => set(name, event.target.checked),
    }))),
    h("div", { class: "grid" }, amounts.map(([name, label]) => field(label, h("input", {
      type: "number", name, min: "0", value: String(current[name]), onchange: (event) => set(name, Number(event.target.value)),
    })))));
}

function accountForm(account) {
  const key = account.apiKey;
  const send = (method, path, body) => attempt(() => rest(key, method, path, body));
  const starter = key === store.server.apiKey;
  return h("section", { class: "stack", "aria-label": "Account" },
    h("h3", { dir: "auto" }, starter ? "Account" : "Account " + (account.name ?? account.email ?? account.id)),
    starter && h("pre", { class: "environment", tabIndex: 0, "aria-label": "Environment of your agent" },
      `AGENTPHONE_BASE_URL=${location.origin}\nAGENTPHONE_API_KEY=${key}` + (account.webhook ? `\nAGENTPHONE_WEBHOOK_SECRET=${account.webhook.secret}` : "")),
    webhookForm("Webhook", account.id, account.webhook, key, send, "/webhooks"),
    account.agents.map((agent) => agentForm(account, agent, key, send)),
    h("h4", null, "Numbers"),
    h("ul", { class: "plain" }, account.numbers.map((n) => h("li", { class: "bar" }, n.phoneNumber, numberAgent(account, n, send)))),
    key && h("div", { class: "bar" },
      button("Buy a number", () => send("POST", "/numbers", { country: "US", agentId: account.agents[0]?.id ?? null })),
      button("New agent", () => send("POST", "/agents", { name: "Agent " + (account.agents.length + 1), voiceMode: "webhook" }))));
}

// numberAgent chooses the agent of a number.
function numberAgent(account, number, send) {
  if (!account.apiKey) return null;
  return select([["", "no agent"], ...account.agents.map((agent) => [agent.id, agent.name])], {
    "aria-label": "Agent of " + number.phoneNumber, name: "agent-of-" + number.phoneNumber, value: number.agentId ?? "",
    async onchange(event) {
      const id = event.target.value;
      if (id === "") await send("DELETE", `/agents/${number.agentId}/numbers/${number.id}`);
      else await send("POST", `/agents/${id}/numbers`, { numberId: number.id });
    },
  });
}

function agentForm(account, agent, key, send) {
  const change = (what) => send("PATCH", "/agents/" + agent.id, what);
  return h("details", { class: "stack" }, h("summary", { dir: "auto" }, `Agent: ${agent.name}`),
    h("p", { class: "via" }, agent.id),
    key && [
      field("Name", h("input", { type: "text", name: "name-" + agent.id, value: agent.name, onchange: (event) => change({ name: event.target.value }) })),
      field("Who answers calls", select([["webhook", "the webhook"], ["hosted", "AgentPhone, by the system prompt"]], {
        name: "mode-" + agent.id, value: agent.voiceMode, onchange: (event) => change({ voiceMode: event.target.value }),
      })),
      field("System prompt", h("textarea", { rows: 2, name: "prompt-" + agent.id, value: agent.systemPrompt ?? "", onchange: (event) => change({ systemPrompt: event.target.value || null }) })),
      field("Transfers to", h("input", { type: "tel", name: "transfer-" + agent.id, value: agent.transferNumber ?? "", onchange: (event) => change({ transferNumber: event.target.value }) })),
    ],
    webhookForm("Webhook of its own", agent.id, agent.webhook, key, send, `/agents/${agent.id}/webhook`));
}

function webhookForm(label, id, webhook, key, send, path) {
  if (!key) return h("p", null, `${label}: ${webhook?.url ?? "none"}`);
  const url = h("input", { type: "url", name: "url-" + id, value: webhook?.url ?? "", placeholder: "http://127.0.0.1:8080/webhook", required: true });
  return h("form", {
    class: "stack",
    onsubmit(event) {
      event.preventDefault();
      send("POST", path, { url: url.value });
    },
  }, field(label, url),
    webhook && h("p", { class: "via" }, "signed with ", h("code", null, webhook.secret)),
    h("div", { class: "bar" }, h("button", { type: "submit" }, "Set"), webhook && button("Remove", () => send("DELETE", path))));
}
