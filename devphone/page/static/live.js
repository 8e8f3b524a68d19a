// Follows the events of the server, and gets the whole state when some were missed.

import { control } from "./api.js";
import { apply, eventNames, replaceAll } from "./store.js";

const stateLimit = 1000;
const retryAfter = 1500; // ms

let onStatus = () => {};

export function follow(status) {
  onStatus = status;
  connect();
}

async function connect() {
  let state;
  try {
    state = await control("GET", "/state?limit=" + stateLimit);
  } catch (error) {
    onStatus("offline: " + error.message);
    setTimeout(connect, retryAfter);
    return;
  }
  replaceAll(state);
  const source = new EventSource("/_control/events?after=" + encodeURIComponent(state.lastEventId));
  let waiting = null; // events that come while the state is fetched again
  source.onopen = () => onStatus("live");
  source.onerror = () => {
    onStatus("reconnecting");
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, retryAfter);
  };
  for (const name of eventNames) {
    source.addEventListener(name, (event) => {
      if (name === "lost") reload();
      else if (waiting) waiting.push([name, event.data]);
      else apply(name, JSON.parse(event.data));
    });
  }

  async function reload() {
    const first = waiting === null;
    waiting ??= [];
    if (!first) return;
    try {
      replaceAll(await control("GET", "/state?limit=" + stateLimit));
    } catch {
      source.close();
      setTimeout(connect, retryAfter);
      return;
    }
    const events = waiting;
    waiting = null;
    for (const [name, data] of events) apply(name, JSON.parse(data));
  }
}
