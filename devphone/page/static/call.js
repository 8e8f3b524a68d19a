// A call: what was said, with times, and what the person says next. Calls that ring.

import { attempt, control } from "./api.js";
import { button, clock, h, longText } from "./dom.js";
import { List } from "./list.js";
import { saveButton } from "./save.js";
import { store } from "./store.js";

const act = (id, what) => attempt(() => control("POST", `/calls/${encodeURIComponent(id)}/${what}`, {}));

export function showCall(box, back) {
  let call = null;
  let speaking = null; // id of the call in which a turn is under way
  const title = h("h2", { dir: "auto" });
  const status = h("p", { class: "via", role: "status" });
  const leave = button("Messages", back, { "aria-keyshortcuts": "Escape" });
  const save = saveButton("Save as scenario", "this call, for devphone test", () => ({ call: call.id }));
  const log = h("div", { class: "scroll log", role: "log", "aria-label": "What is said", tabIndex: 0 });
  const last = h("p", { class: "typing", role: "status" });
  const words = h("input", { type: "text", placeholder: "What you say to the agent", "aria-label": "What you say to the agent", autocomplete: "off", name: "words" });
  const say = h("button", { type: "submit" }, "Say");
  const answer = button("Answer", async () => {
    if (await act(call.id, "answer")) words.focus();
  }, { class: "go" });
  const hangUp = button("Hang up", () => act(call.id, "end"), { class: "stop" });
  const form = h("form", {
    class: "composer line",
    async onsubmit(event) {
      event.preventDefault();
      const text = words.value;
      if (text.trim() === "" || speaking === call.id) return;
      const id = (speaking = call.id);
      words.value = "";
      show(call);
      await attempt(() => control("POST", `/calls/${encodeURIComponent(id)}/turns`, { text }));
      speaking = null;
      show(call);
      if (call.id === id) words.focus();
    },
  }, words, say, answer, hangUp);
  box.replaceChildren(h("div", { class: "head" }, h("div", null, title, status), h("div", { class: "bar" }, save, leave)), log, last, form);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") back();
  });

  const list = new List(log, {
    key: (line) => line.index, end: true, before: "Earlier", after: "Later", empty: "Nothing has been said.",
    render: (line) => h("article", { class: line.role === "user" ? "bubble mine" : "bubble", "aria-label": line.role === "user" ? "Person" : "Agent" },
      longText(line.content),
      h("p", { class: "meta" },
        line.turnMs === null ? clock(line.at) : h("span", { class: "ms", title: "since the voice turn was sent" }, `+${line.turnMs} ms`),
        line.interim ? " · interim" : "")),
  });

  const show = (next) => {
    if (call?.id !== next.id) list.reset();
    call = next;
    const live = call.status === "in-progress";
    const rings = call.status === "ringing";
    title.textContent = call.person ?? "Web call";
    status.textContent = [
      rings ? "rings" : call.status, call.durationSeconds ? call.durationSeconds + " s" : "", call.disconnectionReason ?? "",
      call.digits ? "pressed " + call.digits : "",
    ].filter(Boolean).join(" · ");
    const lines = (store.lines.get(call.id) ?? []).filter(Boolean);
    save.hidden = !call.driven || !lines.some((line) => line.role === "user");
    list.update(lines);
    last.textContent = speaking === call.id ? "The agent's turn" : turnText(store.turns.get(call.id));
    form.hidden = !live && !rings;
    words.hidden = say.hidden = !live || !call.driven;
    const answered = document.activeElement === answer && live;
    answer.hidden = !rings;
    if (answered) words.focus();
    say.disabled = speaking === call.id;
    hangUp.textContent = rings ? "Decline" : "Hang up";
  };
  show.focus = () => (answer.hidden ? words : answer).focus();
  return show;
}

// turnText says how the last turn went.
function turnText(turn) {
  if (!turn) return "";
  const { lines, hangup, transfer, digits, unreadable } = turn.answer ?? { lines: [] };
  return [
    lines.length > 0 ? `First words after ${lines[0].atMs} ms, all after ${turn.durationMs} ms` : `No words, after ${turn.durationMs} ms`,
    hangup && "hung up", transfer && "transferred", digits && "pressed " + digits, unreadable && "cannot be read: " + unreadable, turn.error,
  ].filter(Boolean).join(" · ");
}

// showRinging says which phones ring, wherever the user is on the page.
export function showRinging(box, openCall) {
  let shown = "";
  return () => {
    const ringing = [...store.calls.values()].filter((call) => call.status === "ringing");
    const ids = ringing.map((call) => call.id).join();
    if (ids === shown) return;
    shown = ids;
    box.replaceChildren(...ringing.map((call) => h("p", null,
      h("span", { dir: "auto" }, `${call.person ?? "A phone"} rings: ${call.phoneNumber} calls`),
      button("Answer", async () => {
        if (await act(call.id, "answer")) openCall(call.id);
      }, { class: "go" }),
      button("Decline", () => act(call.id, "end"), { class: "stop" }))));
  };
}
