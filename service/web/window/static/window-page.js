// The few things that all parts need: the page's words, its voice, and its pages.

/** A string of the page's language, with `{name}` replaced. */
export function words(name, values = {}) {
  const said = document.getElementById("words")?.dataset[name] ?? "";
  return said.replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

/** Said to those who listen, and seen where the page shows it. */
export function tell(text) {
  const place = document.getElementById("told");
  if (place) place.textContent = text;
}

/** Numbers as the page's language writes them. */
export function number(value) {
  return value.toLocaleString(document.documentElement.lang);
}

/** The text at an address. Throws for what is no answer. */
export async function fetched(url, { part = false, signal } = {}) {
  const answer = await fetch(url, { signal, headers: part ? { "X-Part": "1" } : {} });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.text();
}

/** Calls `shown` if the work takes longer than a moment; nobody should see a flash. */
export async function patiently(work, shown, hidden) {
  let visible = false;
  const timer = setTimeout(() => { visible = true; shown(); }, 300);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    if (visible) hidden();
  }
}

/** An element with properties and children. */
export function made(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}
