// What the server has, as its state and its events say. Objects are replaced, never changed, so that === tells whether
// they have to be shown again.

export const kept = { messages: 2000, requests: 500, deliveries: 500, redeliveries: 20 };

export const store = {
  server: null,
  setup: null,
  accounts: new Map(),
  conversations: new Map(),
  messages: new Map(), // by id of the conversation, then by id
  calls: new Map(),
  lines: new Map(), // by id of the call: a list
  turns: new Map(), // by id of the call: the last voice turn that is over
  requests: new Map(),
  deliveries: new Map(),
  redeliveries: new Map(), // by id of the delivery: a list
  typing: new Map(), // by id of the conversation: until when
};

let listeners = [];
let scheduled = false;

// onChange has a view drawn at most once per frame.
export function onChange(listener) {
  listeners.push(listener);
}

export function changed() {
  if (scheduled) return;
  scheduled = true;
  const draw = () => {
    scheduled = false;
    for (const listener of listeners) listener();
  };
  if (document.hidden) setTimeout(draw, 250);
  else requestAnimationFrame(draw);
}

export function replaceAll(state) {
  store.server = state.server;
  store.setup = state.setup;
  for (const map of [store.accounts, store.conversations, store.messages, store.calls, store.lines, store.requests, store.deliveries]) map.clear();
  for (const account of state.accounts) store.accounts.set(account.id, account);
  for (const conversation of state.conversations.data) store.conversations.set(conversation.id, conversation);
  for (const message of state.messages.data) putMessage(message);
  for (const { lines, ...call } of state.calls.data) {
    store.calls.set(call.id, call);
    store.lines.set(call.id, lines);
  }
  for (const request of state.requests.data) put(store.requests, request.number, request, kept.requests);
  for (const delivery of state.deliveries.data) put(store.deliveries, delivery.id, delivery, kept.deliveries);
  changed();
}

function put(map, key, value, limit) {
  map.set(key, value);
  if (map.size > limit) map.delete(map.keys().next().value);
}

function putMessage(message) {
  let messages = store.messages.get(message.conversationId);
  if (!messages) store.messages.set(message.conversationId, (messages = new Map()));
  put(messages, message.id, message, kept.messages);
}

function append(map, key, value, limit) {
  map.set(key, [...(map.get(key) ?? []), value].slice(-limit));
}

const events = {
  request: (request) => put(store.requests, request.number, request, kept.requests),
  message(message) {
    putMessage(message);
    if (message.direction === "outbound") store.typing.delete(message.conversationId);
  },
  conversation: (conversation) => store.conversations.set(conversation.id, conversation),
  typing({ conversationId }) {
    store.typing.set(conversationId, Date.now() + 6000);
    setTimeout(changed, 6100);
  },
  call: (call) => store.calls.set(call.id, call),
  line(line) {
    const lines = store.lines.get(line.callId) ?? [];
    lines[line.index] = line; // lists of lines grow in place: a call can have thousands
    store.lines.set(line.callId, lines);
  },
  turn: (turn) => store.turns.set(turn.callId, turn),
  delivery: (delivery) => put(store.deliveries, delivery.id, delivery, kept.deliveries),
  attempt({ deliveryId, status, nextAttemptAt, attempt }) {
    const delivery = store.deliveries.get(deliveryId);
    if (!delivery) return;
    const attempts = delivery.attempts.filter((other) => other.number !== attempt.number);
    store.deliveries.set(deliveryId, { ...delivery, status, nextAttemptAt, attempts: [...attempts, attempt] });
  },
  redelivery(redelivery) {
    append(store.redeliveries, redelivery.deliveryId, redelivery, kept.redeliveries);
    const delivery = store.deliveries.get(redelivery.deliveryId);
    if (delivery) store.deliveries.set(delivery.id, { ...delivery });
  },
  account: (account) => store.accounts.set(account.id, account),
  accountDeleted: ({ id }) => store.accounts.delete(id),
  agentDeleted({ id }) {
    for (const map of [store.conversations, store.calls]) {
      for (const [key, value] of map) if (value.agentId === id) map.set(key, { ...value, agentId: null });
    }
  },
  setup: (setup) => (store.setup = setup),
};

export const eventNames = [...Object.keys(events), "verification", "lost"];

export function apply(name, data) {
  events[name]?.(data);
  changed();
}

// numbers are all numbers of all accounts, each with the name of its agent.
export function numbers() {
  const all = [];
  for (const account of store.accounts.values()) {
    const names = new Map(account.agents.map((agent) => [agent.id, agent.name]));
    for (const number of account.numbers) {
      all.push({ phoneNumber: number.phoneNumber, agent: names.get(number.agentId) ?? "no agent" });
    }
  }
  return all;
}
