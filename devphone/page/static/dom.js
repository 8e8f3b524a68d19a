// Elements. Whatever comes from outside becomes text nodes and nothing else.

// h returns an element. Properties whose names begin with "on" are listeners, those with "-" and "role" attributes.
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name.includes("-") || name === "role" || name === "for") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const shownAtFirst = 2000;

// longText is a text in its own writing direction, of which the rest shows when it is asked for.
export function longText(text, tag = "p") {
  const element = h(tag, { class: "text", dir: "auto" });
  if (text.length <= shownAtFirst) {
    element.textContent = text;
    return element;
  }
  const more = h("button", {
    type: "button", class: "link",
    onclick: () => element.replaceChildren(text),
  }, `Show all ${text.length.toLocaleString("en")} characters`);
  element.append(text.slice(0, shownAtFirst).replace(/[\ud800-\udbff]$/, "") + "… ", more);
  return element;
}

// link is a link if the URL is one of the web, else its text: javascript: and the like are not followed.
export function link(url) {
  let parsed;
  try {
    parsed = new URL(url);
  } catch {
    return h("span", { class: "text" }, url);
  }
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") return h("span", { class: "text" }, url);
  return h("a", { class: "text", href: parsed.href, target: "_blank", rel: "noopener noreferrer" }, url);
}

export function button(label, onclick, props) {
  return h("button", { type: "button", onclick, ...props }, label);
}

// field is a labelled input.
export function field(label, input) {
  return h("label", { class: "field" }, h("span", null, label), input);
}

export function select(options, props) {
  const element = h("select", props, options.map(([value, label]) => h("option", { value }, label)));
  if (props.value !== undefined) element.value = props.value;
  return element;
}

export function clock(time) {
  return new Date(time).toLocaleTimeString("en-GB");
}

// pretty is JSON with line breaks, or the text as it is.
export function pretty(value) {
  if (typeof value !== "string") return JSON.stringify(value, null, 2);
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}

let hide;

// notice shows what went wrong.
export function notice(text) {
  const box = document.getElementById("notice");
  box.replaceChildren(h("p", null, longText(text, "span"), button("Dismiss", () => box.replaceChildren())));
  clearTimeout(hide);
  hide = setTimeout(() => box.replaceChildren(), 15000);
}
