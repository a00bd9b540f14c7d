// Grading by keys. Every grade is sent at once, one after the other; what cannot be saved is shown as it was before.

const sheet = document.querySelector("#sheet");
const told = document.querySelector("#told");
const failed = document.querySelector("#failed");
const cards = [...(sheet?.children ?? [])];
const history = [];
let sending = Promise.resolve();

function show(card, grade) {
  card.dataset.grade = grade;
  for (const button of card.querySelectorAll("button")) {
    if (button.value === "") button.hidden = grade === "";
    else button.setAttribute("aria-pressed", String(button.value === grade));
  }
  const graded = cards.filter((one) => one.dataset.grade !== "").length;
  document.querySelector("#graded").textContent = graded;
  document.querySelector("#progress").value = graded;
  if (graded) document.querySelector("#make").disabled = false;
}

function give(card, grade) {
  const before = card.dataset.grade;
  show(card, grade);
  const form = new FormData();
  for (const [name, value] of Object.entries({ suite: sheet.dataset.suite, query: sheet.dataset.query, product: card.dataset.product, grade })) form.set(name, value);
  sending = sending.then(() => send(card, form, before, grade));
}

async function send(card, body, before, grade) {
  try {
    const answer = await fetch("/bench/judge", { method: "POST", body, headers: { "X-Part": "1" }, keepalive: true });
    if (!answer.ok) throw new Error(answer.status);
    failed.replaceChildren();
    told.textContent = `${grade === "" ? sheet.dataset.taken : `${sheet.dataset.saved}: ${grade}`}, ${card.getAttribute("aria-label")}`;
  } catch {
    show(card, before);
    const notice = document.createElement("p");
    notice.className = "notice bad";
    notice.textContent = sheet.dataset.lost;
    failed.replaceChildren(notice);
  }
}

function go(card) {
  if (!card) return;
  for (const one of cards) one.tabIndex = one === card ? 0 : -1;
  card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

function grade(card, value) {
  history.push([card, card.dataset.grade]);
  give(card, value);
  const at = cards.indexOf(card);
  go(cards.slice(at + 1).find((one) => one.dataset.grade === "") ?? cards[at + 1] ?? card);
}

function undo() {
  const [card, before] = history.pop() ?? [];
  if (!card) return;
  give(card, before);
  go(card);
}

function below(card, step) {
  const rows = cards.filter((one) => one.offsetLeft === card.offsetLeft);
  return rows[rows.indexOf(card) + step];
}

function press(event) {
  const card = event.target.closest(".judge-card");
  if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
  const at = cards.indexOf(card);
  const acts = {
    ArrowRight: () => go(cards[at + 1]),
    ArrowLeft: () => go(cards[at - 1]),
    ArrowDown: () => go(below(card, 1)),
    ArrowUp: () => go(below(card, -1)),
    u: undo,
    n: () => document.querySelector("a[rel=next]")?.click(),
    p: () => document.querySelector("a[rel=prev]")?.click(),
  };
  for (const value of "0123") acts[value] = () => grade(card, value);
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

if (sheet) {
  sheet.addEventListener("keydown", press);
  sheet.addEventListener("submit", (event) => {
    event.preventDefault();
    const card = event.target.closest(".judge-card");
    if (event.submitter.value === "") {
      history.push([card, card.dataset.grade]);
      give(card, "");
      go(card);
    } else grade(card, event.submitter.value);
  });
  for (const card of cards) card.tabIndex = -1;
  const first = cards.find((one) => one.dataset.grade === "") ?? cards[0];
  first.tabIndex = 0;
  if (document.activeElement === document.body) first.focus({ preventScroll: true });
}
