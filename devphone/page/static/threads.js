// Who texts and calls: a thread is what a person, or a group, and one number of the server have to do with each other.

import { button, field, h, select } from "./dom.js";
import { List } from "./list.js";
import { saveButton } from "./save.js";
import { numbers, store } from "./store.js";

export const selection = { thread: null, call: null };

const drafts = new Map(); // threads in which nothing has happened yet
const seen = new Map(); // by key: how many messages

const keyOf = (who, phoneNumber) => who + " " + phoneNumber;

function draft(who, phoneNumber) {
  return { key: keyOf(who, phoneNumber), who, phoneNumber, name: who, members: null, conversation: null, calls: [], last: "" };
}

// threads returns all threads, the latest first.
export function threads() {
  const all = new Map();
  const of = (who, phoneNumber) => {
    const key = keyOf(who, phoneNumber);
    if (!all.has(key)) all.set(key, draft(who, phoneNumber));
    return all.get(key);
  };
  for (const thread of drafts.values()) of(thread.who, thread.phoneNumber).last = thread.last;
  for (const conversation of store.conversations.values()) {
    const thread = of(conversation.groupId ?? conversation.participant, conversation.phoneNumber);
    thread.conversation = conversation;
    thread.last = conversation.lastMessageAt ?? thread.last;
    if (!conversation.isGroup) continue;
    thread.members = (conversation.participants ?? []).map((participant) => participant.identifier);
    thread.name = conversation.groupName ?? thread.members.join(", ");
  }
  for (const call of store.calls.values()) {
    const thread = of(call.person ?? "web", call.phoneNumber ?? "");
    thread.calls.push(call);
    if (call.startedAt > thread.last) thread.last = call.startedAt;
  }
  return [...all.values()].sort((a, b) => (a.last < b.last ? 1 : a.last > b.last ? -1 : 0));
}

export function selected(all) {
  return all.find((thread) => thread.key === selection.thread) ?? null;
}

const isLive = (call) => ["ringing", "in-progress", "ending"].includes(call.status);

function summary(thread) {
  const call = thread.calls.find(isLive);
  if (call) return call.status === "ringing" ? "rings" : "in a call";
  const messages = thread.conversation && store.messages.get(thread.conversation.id);
  const last = messages && [...messages.values()].at(-1);
  if (last) return last.body.slice(0, 80) || "media";
  if (thread.calls.length > 0) return "call " + thread.calls.at(-1).status;
  return "nothing yet";
}

// showPeople draws the section, and calls open with a thread that is chosen.
export function showPeople(section, open) {
  const list = h("div", { class: "scroll", role: "group", "aria-label": "Conversations", onkeydown: moveFocus });
  const person = h("input", { type: "text", required: true, value: "+14155550123", autocomplete: "off", spellcheck: false, name: "person" });
  const number = select([], { name: "number" });
  const form = h("form", {
    class: "stack",
    onsubmit(event) {
      event.preventDefault();
      const thread = { ...draft(person.value.trim(), number.value), last: new Date().toISOString() };
      drafts.set(thread.key, thread);
      open(thread);
    },
  }, field("Phone number or email of a person", person), field("Number of the agent", number), h("button", { type: "submit" }, "Pick up this phone"));
  const save = saveButton("Save all", "everything that people did, as a scenario for devphone test", () => ({}));
  section.replaceChildren(h("div", { class: "head" }, h("h2", null, "Phones"), save), form, list);

  const rows = new List(list, {
    key: (row) => row.key, size: 100, before: "Newer", after: "Older", empty: "Nobody has texted or called yet.",
    render: (row) => button([
      h("span", { class: "who", dir: "auto" }, row.name),
      row.via && h("span", { class: "via" }, "with " + row.via),
      h("span", { class: "summary", dir: "auto" }, row.summary),
      row.unread > 0 && h("span", { class: "badge", "aria-label": row.unread + " new" }, String(row.unread)),
    ], () => open(row.thread), { class: row.rings ? "row rings" : "row", "aria-current": row.current ? "true" : null, "data-focus": "row" }),
  });
  let shown = new Map();
  let known = "";
  return (all) => {
    const next = new Map();
    const mine = numbers();
    const items = all.map((thread) => {
      const count = thread.conversation?.messageCount ?? 0;
      const current = thread.key === selection.thread;
      if (current || !seen.has(thread.key)) seen.set(thread.key, current ? count : 0);
      const row = {
        key: thread.key, thread, name: thread.name, via: mine.length > 1 ? thread.phoneNumber : "", current, summary: summary(thread),
        unread: count - seen.get(thread.key), rings: thread.calls.some((call) => call.status === "ringing"),
      };
      const old = shown.get(row.key);
      const same = old && ["name", "via", "current", "summary", "unread", "rings"].every((name) => old[name] === row[name]);
      if (same) old.thread = thread;
      next.set(row.key, same ? old : row);
      return same ? old : row;
    });
    shown = next;
    save.hidden = store.messages.size + store.calls.size === 0;
    rows.update(items);
    if (known === JSON.stringify(mine)) return;
    known = JSON.stringify(mine);
    const was = number.value;
    number.replaceChildren(...mine.map((n) => h("option", { value: n.phoneNumber }, `${n.phoneNumber} (${n.agent})`)));
    if (was) number.value = was;
  };
}

// moveFocus moves among the rows with the arrow keys.
function moveFocus(event) {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const all = [...event.currentTarget.querySelectorAll(".row")];
  const next = all[all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.focus();
}
