// Ranks a suite anew as sliders move, from the scores the service stored.
import { CUT, means, measured, ranked } from "./bench-ranking.js";

const root = document.querySelector("#sliders");
const { address, locale, shown, unanswered, was } = root?.dataset ?? {};
const form = root?.querySelector("form");
const picker = form?.elements.query;
const fieldsets = [...(form?.querySelectorAll("fieldset") ?? [])];
const number = (value, digits = 3) => value.toLocaleString(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : "±"}${number(Math.abs(value))}`;
let queries = [];
let before = [];
let waiting = false;

/** Kind → channel → weight; `name` is `value`, or `present` of the settings. */
function weights(name) {
  const found = {};
  for (const fieldset of fieldsets) {
    const kind = (found[fieldset.dataset.kind] = {});
    for (const input of fieldset.querySelectorAll("input")) kind[input.dataset.channel] = Number(name === "value" ? input.value : input.dataset.present);
  }
  return found;
}

const values = (by) => queries.map((query) => measured(query, ranked(query, by[query.weighed])));

function show() {
  waiting = false;
  const by = weights("value");
  const empty = Object.values(by).some((kind) => Object.values(kind).every((weight) => weight === 0));
  document.querySelector("#refused").textContent = empty ? root.dataset.zero : "";
  for (const output of form.querySelectorAll("output")) output.value = number(Number(output.previousElementSibling.value), 2);
  if (empty) return;
  const now = values(by);
  const groups = [means(queries, now, JSON.parse(unanswered)), means(queries, before, JSON.parse(unanswered))];
  for (const place of root.querySelectorAll("[data-group]")) {
    const { group, measure } = place.dataset;
    const [value, present] = groups.map((one) => one[group][measure]);
    const strong = place.querySelector("[data-now]");
    strong.dataset.now = value;
    strong.textContent = number(value);
    colour(strong, value - present);
    const delta = place.querySelector("[data-delta]");
    if (delta) {
      delta.textContent = signed(value - present);
      colour(delta, value - present);
    }
  }
  const changes = queries.map((query, at) => [query.id, now[at].ndcg - before[at].ndcg]).filter(([, change]) => Math.abs(change) > 1e-9);
  changes.sort((one, other) => one[1] - other[1]);
  list("#worse", changes.filter(([, change]) => change < 0).slice(0, 5));
  list("#better", changes.filter(([, change]) => change > 0).reverse().slice(0, 5));
  paste(by);
  order(by, true);
  history.replaceState(null, "", `?${new URLSearchParams(new FormData(form))}`);
}

function colour(place, change) {
  place.classList.toggle("yes", change > 1e-9);
  place.classList.toggle("no", change < -1e-9);
}

function list(where, changes) {
  const items = changes.map(([id, change]) => {
    const item = document.createElement("li");
    const link = item.appendChild(document.createElement("a"));
    link.href = `${address}&query=${encodeURIComponent(id)}`;
    link.dataset.query = id;
    const [name, value] = [document.createElement("span"), document.createElement("span")];
    name.textContent = [...picker.options].find((one) => one.value === id)?.text ?? id;
    value.textContent = signed(change);
    value.className = `number ${change > 0 ? "yes" : "no"}`;
    link.append(name, " ", value);
    return item;
  });
  document.querySelector(where).replaceChildren(...items);
}

/** As eval/tuning/fragment.py writes it. */
function paste(by) {
  const present = weights("present");
  const spelt = (weight) => (Number.isInteger(weight) ? weight.toFixed(1) : String(weight));
  const tables = [];
  const changes = [];
  for (const [kind, channels] of Object.entries(by)) {
    const changed = Object.keys(channels).some((one) => channels[one] !== present[kind][one]);
    const lines = Object.entries(channels).filter(([one, weight]) => weight > 0 || present[kind][one] > 0);
    for (const [one, weight] of Object.entries(channels)) if (weight !== present[kind][one]) changes.push(`weights.${kind}.${one}=${weight}`);
    if (changed) tables.push(`[search.weights.${kind}]\n${lines.map(([one, weight]) => `${one} = ${spelt(weight)}\n`).join("")}`);
  }
  document.querySelector("#fragment").textContent = tables.join("\n");
  document.querySelector("#lines").value = changes.join("\n");
  document.querySelector("#paste").hidden = !tables.length;
}

/** The chosen query's pictures, which move to where they now belong. */
function order(by, moving) {
  const ranking = document.querySelector("#ranking");
  const query = queries.find((one) => one.id === ranking.dataset.query);
  if (!query) return;
  const cards = new Map([...ranking.children].map((card) => [Number(card.dataset.at), card]));
  const places = new Map([...cards.values()].filter((card) => !card.hidden).map((card) => [card, card.getBoundingClientRect()]));
  const ranks = ranked(query, by[query.weighed]);
  document.querySelector("#one").textContent = number(measured(query, ranks).ndcg);
  const sorted = ranks.filter((at) => cards.has(at)).map((at) => cards.get(at));
  sorted.forEach((card, place) => {
    card.hidden = place >= Number(shown ?? CUT);
    card.querySelector(".rank").textContent = place + 1;
    card.querySelector("[data-was]").textContent = Number(card.dataset.before) === place + 1 ? "" : was.replace("%", card.dataset.before);
  });
  if (sorted.some((card, place) => ranking.children[place] !== card)) ranking.append(...sorted);
  if (moving && !matchMedia("(prefers-reduced-motion: reduce)").matches) for (const card of sorted) if (!card.hidden) slide(card, places.get(card));
}

function slide(card, from) {
  const to = card.getBoundingClientRect();
  if (!from) card.animate([{ opacity: 0 }, { opacity: 1 }], 200);
  else if (from.left !== to.left || from.top !== to.top) card.animate([{ transform: `translate(${from.left - to.left}px, ${from.top - to.top}px)` }, { transform: "none" }], { duration: 220, easing: "ease-out" });
}

async function choose(id) {
  picker.value = id;
  const answer = await fetch(`${address}&${new URLSearchParams(new FormData(form))}`, { headers: { "X-Part": "1" } });
  if (!answer.ok) return location.assign(`${address}&query=${encodeURIComponent(id)}`);
  const made = document.createElement("template");
  made.innerHTML = await answer.text();
  document.querySelector("#ranking").replaceWith(made.content.querySelector("#ranking"));
  document.querySelector("#asked").textContent = picker.selectedOptions[0].text;
  order(weights("value"), false);
  history.replaceState(null, "", `?${new URLSearchParams(new FormData(form))}`);
}

function soon() {
  if (!waiting) requestAnimationFrame(show);
  waiting = true;
}

async function start() {
  const answer = await fetch(root.dataset.scores);
  if (!answer.ok) throw new Error(answer.status);
  queries = (await answer.json()).queries.map((query) => ({ ...query, ...query.candidates }));
  before = values(weights("present"));
  form.querySelector("[data-without-script]").hidden = true;
  form.addEventListener("input", (event) => event.target.type === "range" && soon());
  picker.addEventListener("change", () => choose(picker.value));
  root.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-query]");
    if (!link) return;
    event.preventDefault();
    choose(link.dataset.query);
    document.querySelector("#asked").scrollIntoView();
  });
  form.querySelector("[data-reset]").addEventListener("click", (event) => {
    event.preventDefault();
    for (const input of form.querySelectorAll("input[type=range]")) input.value = input.dataset.present;
    soon();
  });
  const copy = document.querySelector("#copy");
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.querySelector("#fragment").textContent);
    copy.textContent = copy.dataset.copied;
  });
  show();
  root.dataset.ready = "";
}

/** While the service stores scores: its progress, then the page itself. */
async function follow() {
  const made = document.createElement("template");
  made.innerHTML = await (await fetch(location.href)).text();
  const next = made.content.querySelector("#scoring");
  if (!next) return location.reload();
  document.querySelector("#scoring").replaceChildren(...next.childNodes);
  setTimeout(follow, 1000);
}

if (document.querySelector("#scoring")) setTimeout(follow, 1000);
if (root) start().catch(() => (document.querySelector("#refused").textContent = root.dataset.lost));
