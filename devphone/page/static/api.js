// Requests: people act by the control API, everything else is the REST API with the account's key.

import { notice } from "./dom.js";

async function send(method, url, body, header) {
  const response = await fetch(url, {
    method,
    headers: { ...header, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  let value = {};
  try {
    value = text === "" ? {} : JSON.parse(text);
  } catch {
    // not JSON
  }
  if (response.ok) return value;
  const why = value.error ?? value.detail ?? (text || response.statusText);
  throw new Error(typeof why === "string" ? why : JSON.stringify(why));
}

export const control = (method, path, body) => send(method, "/_control" + path, body);

export const rest = (key, method, path, body) => send(method, "/v1" + path, body, { Authorization: "Bearer " + key });

// attempt does something and says what goes wrong. It reports whether nothing did.
export async function attempt(what) {
  try {
    await what();
    return true;
  } catch (error) {
    notice(error.message);
    return false;
  }
}
