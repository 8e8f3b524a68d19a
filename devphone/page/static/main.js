// The page: phones of people, the phone in hand, and the inspector.

import { showCall, showRinging } from "./call.js";
import { showChat } from "./chat.js";
import { h } from "./dom.js";
import { showFaults } from "./faults.js";
import { showDeliveries, showRequests } from "./inspector.js";
import { follow } from "./live.js";
import { showSetup } from "./setup.js";
import { changed, onChange, store } from "./store.js";
import { selected, selection, showPeople, threads } from "./threads.js";

const section = (id) => document.getElementById(id);

// view is the section that a narrow screen shows.
function view(name) {
  document.body.dataset.view = name;
  for (const b of document.querySelectorAll("nav button")) b.setAttribute("aria-current", String(b.dataset.view === name));
}
for (const b of document.querySelectorAll("nav button")) b.addEventListener("click", () => view(b.dataset.view));
view("people");

function openThread(thread) {
  selection.thread = thread.key;
  selection.call = null;
  view("phone");
  draw();
  drawChat.focus();
}

function openCall(id) {
  const call = store.calls.get(id);
  if (!call) { // its event comes after the response
    setTimeout(openCall, 50, id);
    return;
  }
  selection.thread = threads().find((thread) => thread.calls.some((c) => c.id === id))?.key ?? null;
  selection.call = id;
  view("phone");
  draw();
  drawCall.focus();
}

function closeCall() {
  selection.call = null;
  draw();
  drawChat.focus();
}

const nothing = h("p", { class: "empty" }, "Choose a phone, or pick up a new one, to text and call the agent.");
const chat = h("div", { class: "panel", hidden: true });
const call = h("div", { class: "panel", hidden: true });
section("phone").append(nothing, chat, call);

const drawPeople = showPeople(section("people"), openThread);
const drawChat = showChat(chat, openCall);
const drawCall = showCall(call, closeCall);
const drawRinging = showRinging(section("ringing"), openCall);
const drawInspector = tabs(section("inspector"), [
  ["Deliveries", showDeliveries], ["Requests", showRequests], ["Faults", showFaults], ["Setup", showSetup],
]);

function draw() {
  if (!store.server) return;
  const all = threads();
  drawPeople(all);
  drawRinging();
  const thread = selected(all);
  const inCall = selection.call && store.calls.get(selection.call);
  nothing.hidden = Boolean(thread || inCall);
  chat.hidden = !thread || Boolean(inCall);
  call.hidden = !inCall;
  if (inCall) drawCall(inCall);
  else if (thread) drawChat(thread);
  drawInspector();
}

// tabs shows one panel of several, and returns what draws it.
function tabs(box, panels) {
  const all = panels.map(([name, show]) => {
    const id = "tab-" + name.toLowerCase();
    const panel = h("div", { id: id + "-panel", class: "scroll", role: "tabpanel", "aria-labelledby": id, tabIndex: 0, hidden: true });
    const tab = h("button", { type: "button", id, role: "tab", "aria-controls": panel.id, onclick: () => choose(id) }, name);
    return { id, tab, panel, draw: show(panel) };
  });
  let chosen = all[0];
  function choose(id) {
    chosen = all.find((one) => one.id === id);
    for (const one of all) {
      one.panel.hidden = one !== chosen;
      one.tab.setAttribute("aria-selected", String(one === chosen));
      one.tab.tabIndex = one === chosen ? 0 : -1;
    }
    changed();
  }
  const list = h("div", {
    role: "tablist", "aria-label": "Inspector",
    onkeydown(event) {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const next = all[(all.indexOf(chosen) + step + all.length) % all.length];
      choose(next.id);
      next.tab.focus();
    },
  }, all.map((one) => one.tab));
  box.append(list, ...all.map((one) => one.panel));
  choose(chosen.id);
  return () => chosen.draw();
}

onChange(draw);
follow((status) => {
  section("connection").textContent = status;
  document.body.dataset.connection = status;
});
