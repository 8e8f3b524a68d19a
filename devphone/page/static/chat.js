// The texts of a thread as bubbles, and what texts the agent.

import { attempt, control } from "./api.js";
import { button, clock, h, link, longText, select } from "./dom.js";
import { List } from "./list.js";
import { saveButton } from "./save.js";
import { store } from "./store.js";

const channels = [["", "channel: automatic"], ["sms", "SMS"], ["mms", "MMS"], ["imessage", "iMessage"], ["whatsapp", "WhatsApp"]];
const reactions = [["love", "❤️"], ["like", "👍"], ["dislike", "👎"], ["laugh", "😂"], ["emphasize", "‼️"], ["question", "❓"]];
const signs = new Map(reactions);

export function showChat(box, openCall) {
  let thread = null;
  const title = h("h2", { dir: "auto" });
  const via = h("p", { class: "via" });
  const call = button("Call the agent", () => attempt(async () => {
    const { callId } = await control("POST", "/calls", { from: sender(), to: thread.phoneNumber });
    openCall(callId);
  }));
  const save = saveButton("Save as scenario", "the texts and calls of this person, for devphone test", () => ({ person: thread.who, number: thread.phoneNumber }));
  const log = h("div", { class: "scroll log", role: "log", "aria-label": "Messages", tabIndex: 0 });
  const typing = h("p", { class: "typing", role: "status" });
  const text = h("textarea", {
    rows: 2, placeholder: "Text the agent", "aria-label": "Text to the agent", name: "text",
    onkeydown(event) {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    },
    onkeypress(event) { // a line break that comes apart from its key
      if (event.key === "Enter" && !event.shiftKey) event.preventDefault();
    },
  });
  const member = select([], { "aria-label": "Who texts", name: "member" });
  const channel = select(channels, { "aria-label": "Channel", name: "channel" });
  const form = h("form", {
    class: "composer",
    onsubmit(event) {
      event.preventDefault();
      const body = text.value;
      if (body.trim() === "") return;
      const to = thread.members ? thread.who : thread.phoneNumber;
      const message = { from: sender(), to, body, channel: channel.value };
      text.value = "";
      attempt(() => control("POST", "/messages", message)).then((ok) => {
        if (!ok && text.value === "") text.value = body;
      });
    },
  }, text, h("div", { class: "bar" }, member, channel, h("button", { type: "submit" }, "Send")));
  box.replaceChildren(h("div", { class: "head" }, h("div", null, title, via), h("div", { class: "bar" }, save, call)), log, typing, form);

  const sender = () => (thread.members ? member.value : thread.who);

  const react = (message, reaction) => attempt(() => control("POST", `/messages/${message.id}/reactions`, { from: sender(), reaction }));

  function bubble(message) {
    const mine = message.direction === "inbound";
    const urls = message.mediaUrls ?? [];
    return h("article", { class: mine ? "bubble mine" : "bubble", "aria-label": (mine ? message.fromNumber : "Agent") + ", " + message.channel },
      thread.members && mine && h("p", { class: "sender", dir: "auto" }, message.fromNumber),
      message.replyTo && h("blockquote", { dir: "auto" }, (message.replyTo.message ?? "").slice(0, 120)),
      message.body !== "" && longText(message.body),
      urls.map((url) => h("p", { class: "media" }, link(url))),
      h("p", { class: "meta" }, `${message.channel} · ${clock(message.receivedAt)}`,
        message.reactions.map((r) => h("span", { class: "reaction", title: r.reactionType + " by " + r.fromNumber }, signs.get(r.reactionType) ?? r.reactionType)),
        !mine && reactButtons(message)));
  }

  function reactButtons(message) {
    const menu = h("span", { class: "reactions", hidden: true },
      reactions.map(([name, sign]) => button(sign, () => react(message, name), { "aria-label": "React: " + name })));
    const toggle = button("React", () => {
      menu.hidden = !menu.hidden;
      toggle.setAttribute("aria-expanded", String(!menu.hidden));
      if (!menu.hidden) menu.firstChild.focus();
    }, { class: "link", "aria-expanded": "false", "data-focus": "react" });
    return [toggle, menu];
  }

  function callCard(c) {
    return h("article", { class: "card" },
      h("p", null, `${c.direction === "outbound" ? "The agent called" : "Call to the agent"} · ${c.status} · ${clock(c.startedAt)}`),
      button("Open the call", () => openCall(c.id), { "data-focus": "call" }));
  }

  const list = new List(log, {
    key: (item) => item.id, end: true, before: "Earlier", after: "Later", empty: "Nothing yet. What you send comes to the agent's webhook.",
    render: (item) => (item.body === undefined ? callCard(item) : bubble(item)),
  });

  const show = (next) => {
    if (thread?.key !== next.key) list.reset();
    thread = next;
    title.textContent = thread.name;
    via.textContent = thread.members ? `group ${thread.who} with ${thread.phoneNumber}` : `texts and calls ${thread.phoneNumber}`;
    call.hidden = thread.members !== null || thread.phoneNumber === "";
    if (member.hidden = thread.members === null, thread.members && member.dataset.of !== thread.members.join()) {
      member.dataset.of = thread.members.join();
      member.replaceChildren(...thread.members.map((m) => h("option", { value: m }, m)));
    }
    const id = thread.conversation?.id;
    const messages = id ? [...(store.messages.get(id)?.values() ?? [])] : [];
    save.hidden = thread.members !== null || thread.phoneNumber === "" || messages.length + thread.calls.length === 0;
    list.update(thread.calls.length === 0 ? messages : merged(messages, thread.calls));
    typing.textContent = store.typing.get(id) > Date.now() ? "The agent is typing" : "";
  };
  show.focus = () => text.focus();
  return show;
}

const timeOf = (item) => item.receivedAt ?? item.startedAt;

// merged returns messages and calls in the order of their times.
function merged(messages, calls) {
  return [...messages, ...calls].sort((a, b) => (timeOf(a) < timeOf(b) ? -1 : timeOf(a) > timeOf(b) ? 1 : 0));
}
