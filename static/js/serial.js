// The serial line of an instance: xterm.js over the portal's own websocket.
const here = document.querySelector(".console");
const link = await import(here.dataset.link);
const { keep, pasting, pause, protocols, screen, socket, say, tool, words } = link;

if (!here.dataset.library) say(words.no_library, "bad");
const { Terminal, FitAddon } = await import(here.dataset.library);

const term = new Terminal({ cursorBlink: true, scrollback: 5000, screenReaderMode: true, fontFamily: "ui-monospace, Menlo, Consolas, monospace", fontSize: 14 });
const fit = new FitAddon();
term.loadAddon(fit);
term.open(screen);
fit.fit();
new ResizeObserver(() => fit.fit()).observe(screen);

let ws;
let past = false; // what the line said before is being written: nothing in it is a question of now
const bytes = new TextEncoder();
term.onData((text) => { if (!past && ws?.readyState === WebSocket.OPEN) ws.send(bytes.encode(text)); });

const history = (text) => {
  past = true;
  term.reset();
  term.write(text, () => { past = false; });
};

const open = (token, connected) => new Promise((ended) => {
  ws = new WebSocket(socket, protocols(token));
  ws.binaryType = "arraybuffer";
  ws.addEventListener("open", () => { connected(); term.focus(); });
  ws.addEventListener("message", (event) => {
    if (typeof event.data === "string") history(event.data);
    else term.write(new Uint8Array(event.data));
  });
  ws.addEventListener("close", (event) => ended(event.reason));
});

pasting(() => false, async (list) => {
  for (let at = 0; at < list.length; at += 64) { // a serial line is slow
    if (ws?.readyState !== WebSocket.OPEN) return;
    ws.send(bytes.encode(list.slice(at, at + 64).join("").replace(/\n/g, "\r")));
    await pause(30);
  }
});
keep(open);
