// A list of which only a window is in the document, so that thousands of items stay cheap.

import { button, h } from "./dom.js";

const nearEnd = 48; // px

export class List {
  // key and render say what an item is and looks like. With end, new items come at the end, which stays in view.
  constructor(box, { key, render, size = 120, end = false, before, after, empty }) {
    Object.assign(this, { box, key, render, size, end });
    this.start = 0;
    this.follow = true;
    this.nodes = new Map();
    this.items = [];
    this.inner = h("div", { class: "items" });
    this.before = button(before, () => this.move(-1), { class: "more", hidden: true });
    this.after = button(after, () => this.move(1), { class: "more", hidden: true });
    this.none = h("p", { class: "empty" }, empty ?? "");
    box.replaceChildren(this.before, this.none, this.inner, this.after);
  }

  // reset begins a list of other things.
  reset() {
    this.start = 0;
    this.follow = true;
    this.nodes.clear();
    this.inner.replaceChildren();
  }

  move(direction) {
    const half = Math.floor(this.size / 2);
    this.start = Math.max(0, Math.min(this.start + direction * half, this.items.length - this.size));
    this.follow = this.end ? this.start + this.size >= this.items.length : this.start === 0;
    const anchor = direction < 0 ? this.inner.firstChild : this.inner.lastChild;
    const was = anchor?.getBoundingClientRect().top;
    this.draw();
    if (anchor?.isConnected) this.box.scrollTop += anchor.getBoundingClientRect().top - was;
  }

  update(items) {
    const box = this.box;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < nearEnd;
    this.items = items;
    const stick = this.end && this.follow && (atEnd || this.nodes.size === 0);
    if (stick) this.start = Math.max(0, items.length - this.size);
    else if (!this.end && this.follow) this.start = 0;
    this.draw();
    if (stick) box.scrollTop = box.scrollHeight;
  }

  draw() {
    const last = Math.min(this.items.length, this.start + this.size);
    const wanted = this.items.slice(this.start, last);
    const keys = new Set(wanted.map(this.key));
    for (const [key, { node }] of this.nodes) {
      if (keys.has(key)) continue;
      node.remove();
      this.nodes.delete(key);
    }
    let at = this.inner.firstChild;
    for (const item of wanted) {
      const old = this.nodes.get(this.key(item))?.node;
      const node = this.nodeOf(item);
      if (old === at && at) at = node; // it was replaced
      if (node === at) at = at.nextSibling;
      else this.inner.insertBefore(node, at);
    }
    this.none.hidden = this.items.length > 0 || !this.none.textContent;
    this.before.hidden = this.start === 0;
    this.after.hidden = last === this.items.length;
  }

  nodeOf(item) {
    const key = this.key(item);
    const entry = this.nodes.get(key);
    if (entry?.item === item) return entry.node;
    const node = this.render(item);
    this.nodes.set(key, { item, node });
    if (entry) replaceNode(entry.node, node);
    return node;
  }

  // refresh has an item drawn again that looks different now.
  refresh(key) {
    const entry = this.nodes.get(key);
    if (entry) entry.item = undefined;
  }
}

// replaceNode replaces a node and keeps the focus on the element of the same data-focus.
function replaceNode(old, node) {
  const focused = old.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  old.replaceWith(node);
  if (focused) [...node.querySelectorAll("[data-focus]")].find((element) => element.dataset.focus === focused)?.focus();
}
