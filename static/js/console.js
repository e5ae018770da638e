// The screen of an instance: noVNC over the portal's own websocket.
const here = document.querySelector(".console");
const link = await import(here.dataset.link);
const { keep, pasting, pause, protocols, screen, socket, say, tool, words } = link;

if (!here.dataset.library) say(words.no_library, "bad");
const { default: RFB, keysyms } = await import(here.dataset.library);

let rfb;
const state = { scale: true, view: false };

// What a US keyboard needs Shift for; the guest's layout decides the rest.
const shifted = /[A-Z~!@#$%^&*()_+{}|:"<>?]/;
const untypeable = (c) => c !== "\n" && c !== "\t" && (c < " " || c > "~");
const SHIFT = 0xffe1;

const typeKeys = async (list) => {
  for (const c of list) {
    if (!rfb) return;
    const symbol = c === "\n" ? 0xff0d : c === "\t" ? 0xff09 : keysyms.lookup(c.codePointAt(0));
    if (shifted.test(c)) rfb.sendKey(SHIFT, "ShiftLeft", true);
    rfb.sendKey(symbol, null);
    if (shifted.test(c)) rfb.sendKey(SHIFT, "ShiftLeft", false);
    await pause(12); // guests lose keys that come faster
  }
};

const apply = () => {
  if (!rfb) return;
  rfb.scaleViewport = state.scale;
  rfb.clipViewport = !state.scale;
  rfb.dragViewport = !state.scale;
  rfb.viewOnly = state.view;
};

const toggle = (name) => tool(name, (button) => {
  state[name] = !state[name];
  button.setAttribute("aria-pressed", String(state[name]));
  apply();
});

const open = (token, connected) => new Promise((ended) => {
  screen.replaceChildren();
  let reason = "";
  // noVNC hides why a socket was closed; a socket of our own tells.
  const ws = new WebSocket(socket, protocols(token));
  ws.binaryType = "arraybuffer";
  ws.addEventListener("close", (event) => { reason = event.reason; });
  rfb = new RFB(screen, ws, { shared: true });
  rfb.background = "#000";
  rfb.focusOnClick = true;
  rfb.addEventListener("connect", () => { apply(); connected(); rfb.focus(); });
  rfb.addEventListener("clipboard", (event) => { navigator.clipboard?.writeText(event.detail.text).catch(() => {}); });
  rfb.addEventListener("disconnect", () => { rfb = undefined; ended(reason); });
});

const keysym = {
  ControlLeft: 0xffe3, AltLeft: 0xffe9, ShiftLeft: SHIFT, MetaLeft: 0xffeb, Tab: 0xff09, Escape: 0xff1b, Delete: 0xffff,
  F1: 0xffbe, F2: 0xffbf, F8: 0xffc5, F11: 0xffc8, F12: 0xffc9,
};
for (const button of here.querySelectorAll("[data-stick]")) {
  button.addEventListener("click", () => {
    const down = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(down));
    rfb?.sendKey(keysym[button.dataset.stick], button.dataset.stick, down);
    rfb?.focus();
  });
}
for (const button of here.querySelectorAll("[data-press]")) {
  button.addEventListener("click", () => { rfb?.sendKey(keysym[button.dataset.press], button.dataset.press); rfb?.focus(); });
}

tool("ctrl-alt-del", () => { rfb?.sendCtrlAltDel(); rfb?.focus(); });
tool("keys", () => { const p = link.panel("keys"); p.hidden = !p.hidden; });
toggle("scale");
toggle("view");
here.querySelector('[data-tool="scale"]').setAttribute("aria-pressed", "true");
tool("screenshot", () => {
  rfb?.toBlob((blob) => {
    const a = document.createElement("a");
    a.href = URL.createObjectURL(blob);
    a.download = `${document.querySelector("h1").textContent.trim()}.png`;
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 10000);
  });
});
pasting(untypeable, typeKeys);
keep(open);
