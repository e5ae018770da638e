// What the screen and the serial line share: the ticket, the status line, the
// attempts to connect again, the panels.
export const root = document.querySelector(".console");
export const words = JSON.parse(root.dataset.words);
export const screen = root.querySelector("[data-screen]");
const status = root.querySelector("[data-status]");

export const say = (text, tone = "") => {
  status.textContent = text;
  status.className = `console-status ${tone}`;
};

// Tools are found by name; a panel opens under its tool.
export const tool = (name, act) => {
  for (const button of root.querySelectorAll(`[data-tool="${name}"]`)) {
    button.addEventListener("click", (event) => { event.preventDefault(); act(button); });
  }
};

export const panel = (name) => root.querySelector(`[data-panel="${name}"]`);

// One's own link to the socket, with the ticket where no log sees it.
const address = new URL(root.dataset.socket, location.href);
address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
export const socket = address.href;
export const protocols = (token) => ["binary", `aerie.ticket.${token}`];

// A link from the API carries its ticket behind the #; it serves once.
let given = location.hash.slice(1);
if (given) history.replaceState(null, "", location.pathname + location.search);

export class Refused extends Error {}

export const ticket = async () => {
  if (given) {
    const token = given;
    given = "";
    return token;
  }
  if (!root.dataset.id) throw new Refused(words.refused);
  const answer = await fetch(root.dataset.ticket, {
    method: "POST",
    headers: { "X-CSRF-Token": root.dataset.token },
    body: new URLSearchParams({ id: root.dataset.id, kind: root.dataset.kind }),
  });
  const reply = await answer.json().catch(() => ({}));
  if (answer.ok) return reply.token;
  if (answer.status === 401) throw new Refused(words.signed_out);
  if (answer.status === 404 || answer.status === 403) throw new Refused(words.gone);
  throw new Error(reply.error || words.lost);
};

// Typing and pointing keep the session; the server hears of it once a minute.
let told = 0;
const used = () => {
  if (Date.now() - told < 60000) return;
  told = Date.now();
  fetch(root.dataset.used, { method: "POST", headers: { "X-CSRF-Token": root.dataset.token } }).catch(() => {});
};
for (const kind of ["keydown", "pointerdown"]) root.addEventListener(kind, used, true);

// Why the server closed the socket, in words, and whether to try again.
const reasons = { moved: words.moved, stopped: words.stopped, "signed out": words.signed_out, gone: words.gone };
const final = new Set(["signed out", "gone"]);

// Keep runs open() until the user has left: after a loss it waits a little
// longer each time. Open resolves with the socket's reason when it closes.
export const keep = (open) => {
  let wait = 1000;
  let timer;
  let run = 0;
  const connected = () => { wait = 1000; say(words.connected, "ok"); };
  const again = (text) => {
    const seconds = Math.round(wait / 1000);
    say(`${text} ${words.retry.replace("{n}", seconds)}`, "busy");
    timer = setTimeout(start, wait);
    wait = Math.min(wait * 2, 30000);
  };
  const start = async () => {
    const mine = ++run;
    clearTimeout(timer);
    say(words.connecting, "busy");
    try {
      const reason = await open(await ticket(), connected);
      if (mine !== run) return;
      if (final.has(reason)) { say(reasons[reason], "bad"); return; }
      again(reasons[reason] || words.lost);
    } catch (error) {
      if (mine !== run) return;
      if (error instanceof Refused) { say(error.message, "bad"); return; }
      again(error.message);
    }
  };
  tool("reconnect", () => { wait = 1000; start(); });
  tool("fullscreen", () => { if (document.fullscreenElement) document.exitFullscreen(); else root.requestFullscreen(); });
  start();
};

// The paste panel: text goes out as typed keys.
export const pasting = (untypeable, type) => {
  const form = panel("paste");
  const text = form.querySelector("textarea");
  const note = form.querySelector("[data-paste-note]");
  tool("paste", () => { form.hidden = !form.hidden; if (!form.hidden) text.focus(); });
  text.addEventListener("input", () => {
    const bad = [...new Set([...text.value].filter(untypeable))];
    note.textContent = bad.length ? words.paste_skips.replace("{n}", bad.slice(0, 20).join(" ")) : "";
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    form.hidden = true;
    screen.focus();
    await type([...text.value.replace(/\r\n?/g, "\n")].filter((c) => !untypeable(c)));
    text.value = "";
    note.textContent = "";
    document.querySelector("#announce").textContent = words.pasted;
  });
};

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));
