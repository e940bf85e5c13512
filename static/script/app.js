// What script adds to forms that work without it: an answer at once, one request per tap, a kind word without signal.

const answerWithinMilliseconds = 30_000;
const calmBeforeUndoMilliseconds = 500;

let shownAt = performance.now();
const busyButtons = new Map();
const sentWithoutScript = new WeakSet();

function makeBusy(button) {
  busyButtons.set(button, [...button.childNodes]);
  button.setAttribute("aria-busy", "true");
  if (button.dataset.busyText) button.replaceChildren(button.dataset.busyText);
}

function makeReady(button) {
  button.replaceChildren(...(busyButtons.get(button) ?? button.childNodes));
  button.removeAttribute("aria-busy");
  busyButtons.delete(button);
}

function sayNotSent(form) {
  const words = document.createElement("p");
  words.className = "unsent";
  words.setAttribute("role", "alert");
  form.append(words);
  words.textContent = document.body.dataset.unsent;
}

// A form without an address of its own goes to the page that it stands on.
const addressOf = (form) => form.getAttribute("action") || location.href;

async function send(form, button) {
  const fields = new FormData(form);
  if (button.name) fields.append(button.name, button.value);
  let answer;
  try {
    answer = await fetch(addressOf(form), {
      method: "POST",
      body: fields,
      headers: { "X-Lykta-Fetch": "1" },
      signal: AbortSignal.timeout(answerWithinMilliseconds),
    });
  } catch {
    makeReady(button);
    if (form.hasAttribute("data-keep")) keepForLater(form, fields);
    else sayNotSent(form);
    return;
  }
  if (form.dataset.draft) localStorage.removeItem(form.dataset.draft);
  const next = answer.headers.get("X-Location");
  if (next) {
    location.assign(next);
    return;
  }
  // A refusal or a form to mend: let the browser ask again and show the answer. The once-key makes the repeat harmless.
  makeReady(button);
  sentWithoutScript.add(form);
  form.requestSubmit(button);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !form.hasAttribute("data-busy") || sentWithoutScript.has(form)) return;
  const button = event.submitter ?? form.querySelector("button");
  if (form.querySelector("[aria-busy]")) {
    event.preventDefault();
    return;
  }
  makeBusy(button);
  // Only a form with a once-key may be asked twice; the others go the browser's own way.
  if (!form.querySelector("[name=once]")) return;
  event.preventDefault();
  form.querySelector(".unsent")?.remove();
  send(form, button);
});

// A file that is too large is told when it is chosen, not when it has been sent for minutes.
for (const field of document.querySelectorAll("[data-most-bytes]")) {
  const fits = () => {
    const tooLarge = [...field.files].some((file) => file.size > Number(field.dataset.mostBytes));
    field.setCustomValidity(tooLarge ? field.dataset.tooLarge : "");
    return !tooLarge || field.reportValidity();
  };
  field.addEventListener("change", fits);
  field.form.addEventListener("submit", (event) => {
    if (!fits()) event.preventDefault();
  });
}

// The second tap of a double tap must neither undo what the first one did nor leave the page that tells it.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-undo], [data-calm]") && performance.now() - shownAt < calmBeforeUndoMilliseconds) event.preventDefault();
}, { capture: true });

addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  shownAt = performance.now();
  for (const button of [...busyButtons.keys()]) makeReady(button);
});

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = document.getElementById(button.dataset.copy);
    try {
      await navigator.clipboard.writeText(field.value);
      button.textContent = button.dataset.copied;
    } catch {
      field.select();
    }
  });
}

// Taps of the evening wait for a signal in the browser: they harm nobody, and say that they wait. Never a booking.
const keptName = "kept";
const keptForms = () => JSON.parse(localStorage.getItem(keptName) ?? "[]");

function sayKept() {
  document.querySelector("[data-waiting]")?.remove();
  const waiting = keptForms().length;
  if (!waiting) return;
  const words = document.createElement("p");
  words.dataset.waiting = "";
  words.className = "kept";
  words.setAttribute("role", "status");
  document.querySelector("main").prepend(words);
  words.textContent = `${document.body.dataset.kept} (${waiting})`;
}

// Without signal the evening goes on all the same: the page holds its other states, hidden.
function goOn() {
  for (const kept of keptForms()) {
    const step = new URLSearchParams(kept.body).get("step");
    const next = step && kept.page === location.pathname && document.querySelector(`[data-after~="${step}"]`);
    if (next) for (const part of document.querySelectorAll("[data-after]")) part.hidden = part !== next;
  }
}

function keepForLater(form, fields) {
  const kept = { action: addressOf(form), body: new URLSearchParams(fields).toString(), at: Date.now(), page: location.pathname, draft: form.dataset.draft };
  localStorage.setItem(keptName, JSON.stringify([...keptForms(), kept]));
  sayKept();
  goOn();
}

// What waited and was refused is told once, with the way to where it was tapped and what was typed there.
const refusedName = "refused";

function sayRefused() {
  const page = localStorage.getItem(refusedName);
  if (!page) return;
  localStorage.removeItem(refusedName);
  const words = document.createElement("p");
  words.className = "kept";
  words.setAttribute("role", "alert");
  document.querySelector("main").prepend(words);
  const link = document.createElement("a");
  link.href = page;
  link.textContent = document.body.dataset.refused;
  words.append(link);
}

async function sendKept() {
  // Of several tabs one sends.
  const send = (lock) => (lock ? sendOneByOne() : undefined);
  if (navigator.locks) await navigator.locks.request(keptName, { ifAvailable: true }, send);
  else await sendOneByOne();
}

async function sendOneByOne() {
  let sent = 0;
  for (const kept of keptForms()) {
    const body = new URLSearchParams(kept.body);
    body.set("waited", Math.round((Date.now() - kept.at) / 1000));
    try {
      const answer = await fetch(kept.action, { method: "POST", body, headers: { "X-Lykta-Fetch": "1" } });
      // Signed out meanwhile, or a fault here: it goes on waiting.
      if (answer.status >= 500 || answer.headers.get("X-Location")?.startsWith("/sign-in")) break;
      if (!answer.ok) localStorage.setItem(refusedName, kept.page);
      else if (kept.draft) localStorage.removeItem(kept.draft);
    } catch {
      break;
    }
    sent += 1;
    localStorage.setItem(keptName, JSON.stringify(keptForms().slice(1)));
  }
  sayKept();
  if (sent) location.reload();
}

addEventListener("online", sendKept);
sayRefused();
sayKept();
goOn();
if (keptForms().length) sendKept();

// A copy that the worker kept says when it was made.
const savedAt = Number(document.body.dataset.savedAt);
if (savedAt) {
  const form = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short", hour: "2-digit", minute: "2-digit" });
  const words = document.createElement("p");
  words.className = "kept";
  words.setAttribute("role", "status");
  words.textContent = document.body.dataset.saved.replace("{moment}", form.format(savedAt));
  document.querySelector("main").prepend(words);
}

// The pages of one's own shifts bring the worker that keeps them for an evening without signal.
async function beKept() {
  const policy = window.trustedTypes?.createPolicy("lykta", { createScriptURL: (address) => address });
  await navigator.serviceWorker.register(policy ? policy.createScriptURL("/sw.js") : "/sw.js");
  const { active } = await navigator.serviceWorker.ready;
  if (!navigator.serviceWorker.controller) active.postMessage(location.pathname);
}

if (document.body.hasAttribute("data-keeps") && !savedAt && navigator.serviceWorker) {
  beKept().catch(() => {
    // Without the worker everything works but where there is no signal.
  });
}

// A kept note was fetched earlier in the evening: its form opens when the shift has begun, and knows whom a tap that
// waits for a signal counted in.
for (const form of document.querySelectorAll("[data-from]")) {
  form.hidden = Date.now() < Number(form.dataset.from);
  for (const words of document.querySelectorAll("[data-until]")) words.hidden = !form.hidden;
}
if (savedAt) {
  for (const kept of keptForms()) {
    if (kept.page !== location.pathname.replace(/note$/, "walk")) continue;
    const here = new URLSearchParams(kept.body).getAll("here");
    for (const box of document.querySelectorAll("[name=came]")) if (here.includes(box.value)) box.checked = true;
  }
}

// What is typed in a note stays on the phone until it is sent.
for (const form of document.querySelectorAll("[data-draft]")) {
  const name = form.dataset.draft;
  const fields = () => [...form.elements].filter((field) => field.name && field.type !== "hidden");
  for (const [key, value] of new URLSearchParams(localStorage.getItem(name) ?? "")) {
    for (const field of fields()) {
      if (field.name !== key) continue;
      if (field.type === "radio") field.checked = field.value === value;
      else if (field.tagName === "TEXTAREA" && !field.value) field.value = value;
    }
  }
  form.addEventListener("input", () => {
    const typed = fields().filter((field) => field.type !== "checkbox" && (field.type !== "radio" || field.checked));
    localStorage.setItem(name, new URLSearchParams(typed.map((field) => [field.name, field.value])).toString());
  });
}
