// Suggestions under the search field (the ARIA combobox pattern): what the catalogue has, and what was searched here
// before, which this browser alone knows.

import { fetched, made, tell, words } from "./window-page.js";

const KEY = "vitrine.searched";
const MOST = 6;
const PAUSE = 90;

export function suggest() {
  const form = document.getElementById("search");
  const input = form?.querySelector("input[name=q]");
  if (input && form.dataset.suggestUrl && input.role !== "combobox") new Suggestions(form, input);
}

class Suggestions {
  constructor(form, input) {
    Object.assign(this, { form, input, known: new Map(), active: -1, options: [] });
    this.list = made("ul", { id: "suggestions", className: "suggestions", hidden: true });
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", input.getAttribute("aria-label") || input.labels?.[0]?.textContent.trim() || "");
    const box = made("span", { className: "suggesting" });
    input.before(box);
    box.append(input, this.list);
    const attributes = { role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "suggestions", autocomplete: "off" };
    Object.entries(attributes).forEach(([name, value]) => input.setAttribute(name, value));
    input.addEventListener("input", () => this.later());
    input.addEventListener("focus", () => { if (!input.value) this.show(recent(), true); });
    input.addEventListener("blur", () => this.close());
    input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.choose(event.target.closest("[role=option]")));
    form.addEventListener("submit", () => { remember(input.value); this.close(); });
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  async ask() {
    this.request?.abort();
    const typed = this.input.value;
    if (!typed.trim()) return this.show(recent(), true);
    const { signal } = this.request = new AbortController();
    try {
      const found = this.known.get(typed) ?? await this.fetch(typed, signal);
      if (typed === this.input.value && document.activeElement === this.input) this.show(found);
    } catch {
      if (!signal.aborted) this.close(); // no answer: typing goes on without; an old request leaves the newer one alone
    }
  }

  async fetch(typed, signal) {
    const url = new URL(this.form.dataset.suggestUrl, location);
    url.searchParams.set("q", typed);
    const found = JSON.parse(await fetched(url, { signal })).suggestions;
    this.known.set(typed, found);
    return found;
  }

  show(found, before = false) {
    this.active = -1;
    const heading = before && found.length ? [made("li", { className: "eyebrow", textContent: words("recent") })] : [];
    heading.forEach((one) => one.setAttribute("role", "presentation"));
    this.options = found.map((text) => this.option(text, { value: text }));
    if (heading.length) this.options.push(this.option(words("forget"), { forget: "1" }));
    this.list.replaceChildren(...heading, ...this.options);
    this.list.hidden = !this.options.length;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    this.input.removeAttribute("aria-activedescendant");
    if (found.length) tell(words("suggestions", { n: found.length }));
  }

  option(text, data) {
    const option = made("li", { id: `suggestion-${data.value ?? "forget"}`.replace(/\s/g, "_"), textContent: text });
    Object.assign(option.dataset, data);
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    return option;
  }

  close() {
    clearTimeout(this.timer);
    this.request?.abort();
    this.show([]);
  }

  key(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.options.length) {
      event.preventDefault();
      this.activate(this.active + step);
    } else if (event.key === "ArrowDown") {
      this.ask();
    } else if (event.key === "Escape") {
      event.preventDefault(); // browsers would wipe what was typed
      this.close();
    } else if (event.key === "Enter" && this.active >= 0) {
      event.preventDefault();
      this.choose(this.options[this.active]);
    }
  }

  activate(place) {
    const count = this.options.length + 1; // one more: the field itself
    this.active = ((place + 1 + count) % count) - 1;
    this.options.forEach((option, at) => option.setAttribute("aria-selected", String(at === this.active)));
    const option = this.options[this.active];
    if (!option) return this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  choose(option) {
    if (!option) return;
    if (option.dataset.forget) {
      forget();
      return this.close();
    }
    this.input.value = option.dataset.value;
    this.close();
    this.form.requestSubmit();
  }
}

function recent() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "[]").filter((one) => typeof one === "string").slice(0, MOST);
  } catch {
    return []; // storage is off, or holds what is not ours
  }
}

function remember(text) {
  const said = text.trim().slice(0, 200);
  if (!said) return;
  try {
    localStorage.setItem(KEY, JSON.stringify([said, ...recent().filter((one) => one !== said)].slice(0, MOST)));
  } catch { /* storage is off or full: nothing is remembered */ }
}

function forget() {
  try {
    localStorage.removeItem(KEY);
  } catch { /* storage is off: there is nothing */ }
}
