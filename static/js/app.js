// What the portal does with script. Everything here is an improvement of a
// form, a link or a popover that works without it.
(() => {
  "use strict";

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const on = (type, listener, options) => document.addEventListener(type, listener, options);
  // one listener per kind of event, found by the nearest matching ancestor
  const act = (type, selector, listener) => on(type, (event) => {
    const target = event.target.closest?.(selector);
    if (target) listener(event, target);
  });
  const words = JSON.parse($('meta[name="aerie-words"]')?.content || "{}");
  const language = document.documentElement.lang || "en";
  const mac = /mac|iphone|ipad/i.test(navigator.userAgentData?.platform || navigator.platform);

  // Toasts and announcements

  const announce = (text) => { const box = $("#announce"); if (box) box.textContent = text; };

  const toast = (text, tone = "") => {
    const box = document.createElement("div");
    box.className = `toast ${tone}`;
    box.dataset.toast = "";
    const p = box.appendChild(document.createElement("p"));
    p.textContent = text;
    $("#toasts")?.append(box);
  };

  const expire = (box) => {
    if (box.matches(".bad")) return; // errors stay
    let timer;
    const start = () => { timer = setTimeout(() => box.remove(), 6000); };
    const stop = () => clearTimeout(timer);
    for (const type of ["pointerenter", "focusin"]) box.addEventListener(type, stop);
    for (const type of ["pointerleave", "focusout"]) box.addEventListener(type, start);
    start();
  };

  // Dialogs: content that arrives in #modal opens it. It stays there after the
  // dialog has closed, for its form is what the answer is given to.

  const modal = $("#modal");

  const openModal = (dialog) => {
    if (dialog.open) return;
    if (dialog.matches(":popover-open")) dialog.hidePopover();
    dialog.showModal();
  };

  const ask = async (url) => {
    const answer = await fetch(url, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const form = $("[data-dialog-content]", page)?.closest("form");
    if (!form || answer.redirected) { location.assign(url); return; }
    form.setAttribute("hx-post", form.getAttribute("action"));
    form.setAttribute("hx-swap", "none");
    modal.replaceChildren(document.adoptNode(form));
    window.htmx?.process(modal);
  };

  const dialogs = () => {
    act("click", "[data-modal]", (event, button) => {
      const dialog = document.getElementById(button.dataset.modal);
      if (!dialog) return;
      event.preventDefault();
      button.closest(".menu")?.hidePopover();
      openModal(dialog);
    });
    act("click", "a[data-dialog]", (event, link) => {
      if (event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      link.closest("[popover]")?.hidePopover();
      ask(link.href).catch(() => location.assign(link.href));
    });
    act("click", "dialog [data-close]", (event, button) => {
      event.preventDefault();
      button.closest("dialog").close();
    });
    act("click", "dialog", (event, dialog) => {
      if (event.target === dialog && dialog.matches(":modal")) dialog.close(); // the veil
    });
    act("submit", "dialog form", (event, form) => {
      if (form.method === "post") queueMicrotask(() => form.closest("dialog").close());
    });
    act("submit", "[popover] form", (event, form) => {
      if (form.method === "post") queueMicrotask(() => form.closest("[popover]").hidePopover?.());
    });
    if (!modal) return;
    new MutationObserver(() => { if (modal.childElementCount) openModal(modal); }).observe(modal, { childList: true });
  };

  // Menus: arrow keys, and a place on the page where CSS cannot find one

  const place = (popover, button) => {
    const at = button.getBoundingClientRect();
    const box = popover.getBoundingClientRect();
    const below = at.bottom + box.height + 8 < innerHeight;
    popover.style.inset = "auto";
    popover.style.top = `${Math.max(8, below ? at.bottom : at.top - box.height - 8)}px`;
    popover.style.left = `${Math.max(8, Math.min(at.right - box.width, innerWidth - box.width - 8))}px`;
  };

  const menus = () => {
    if (!CSS.supports("position-area: block-end")) {
      on("toggle", (event) => {
        if (event.newState !== "open" || !event.target.matches?.(".popover")) return;
        const button = $(`[popovertarget="${event.target.id}"]`);
        if (button) place(event.target, button);
      }, true);
    }
    act("keydown", "[data-menu], .menu", (event, element) => {
      if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
      const menu = element.matches(".menu") ? element : document.getElementById(element.getAttribute("popovertarget"));
      if (!menu || event.target.matches("select, input")) return;
      event.preventDefault();
      if (!menu.matches(":popover-open")) menu.showPopover({ source: element });
      const items = $$("a, button", menu).filter((item) => item.offsetParent);
      const step = event.key === "ArrowDown" ? 1 : -1;
      const now = items.indexOf(document.activeElement);
      items.at(now < 0 ? (step > 0 ? 0 : -1) : (now + step) % items.length)?.focus();
    });
  };

  // Copy buttons

  const copying = () => act("click", "[data-copy]", async (event, button) => {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      return;
    }
    announce(words.copied);
    const icon = $("use", button);
    const href = icon?.getAttribute("href");
    icon?.setAttribute("href", href.replace(/#.*/, "#check"));
    setTimeout(() => icon?.setAttribute("href", href), 1200);
  });

  // Tables: count, all, ranges; the count survives a row replaced by the stream

  const ticks = (table) => $$("tbody .pick input", table);
  let lastTick;

  const count = (table) => {
    const boxes = ticks(table);
    const chosen = boxes.filter((box) => box.checked).length;
    const all = $("[data-all]", table);
    if (all) {
      all.checked = chosen > 0 && chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    }
    const label = $("[data-count]", table);
    const text = label?.dataset.count.replace("{n}", chosen.toLocaleString(language));
    if (label && label.textContent !== text) label.textContent = text;
  };

  const tables = () => {
    act("change", "[data-table] .pick input", (event, box) => {
      const table = box.closest("[data-table]");
      if ("all" in box.dataset) for (const each of ticks(table)) each.checked = box.checked;
      count(table);
    });
    act("click", "[data-table] tbody .pick input", (event, box) => {
      const boxes = ticks(box.closest("[data-table]"));
      const [from, to] = [boxes.indexOf(lastTick), boxes.indexOf(box)].sort((a, b) => a - b);
      if (event.shiftKey && from >= 0) for (const each of boxes.slice(from, to)) each.checked = box.checked;
      lastTick = box;
    });
    on("reset", (event) => setTimeout(() => { const t = event.target.closest("[data-table]"); if (t) count(t); }));
    on("htmx:after:swap", () => $$("[data-table]").forEach(count));
    addEventListener("pageshow", () => $$("[data-table]").forEach(count)); // the browser restores ticks
  };

  // Rows that have an order: dragged by their handle, then their form is sent

  const sorting = () => {
    let row = null;
    act("pointerdown", "[data-sort]", (event, grip) => { grip.closest("tr").draggable = true; });
    on("dragstart", (event) => {
      row = event.target.closest?.("tr[draggable]");
      row?.classList.add("dragged");
    });
    act("dragover", "tr", (event, over) => {
      if (!row || over.parentElement !== row.parentElement) return;
      event.preventDefault();
      const box = over.getBoundingClientRect();
      if (over !== row) over[event.clientY < box.top + box.height / 2 ? "before" : "after"](row);
    });
    on("drop", (event) => { if (row) event.preventDefault(); });
    on("dragend", () => {
      if (!row) return;
      row.classList.remove("dragged");
      row.draggable = false;
      document.getElementById($("[data-sort]", row).dataset.sort).requestSubmit();
      row = null;
    });
  };

  // A file's text goes into a field

  const filling = () => act("change", "input[type=file][data-into]", async (event, input) => {
    const field = document.getElementById(input.dataset.into);
    if (field && input.files[0]) field.value = await input.files[0].text();
  });

  // Times: the server's words, kept fresh

  const relative = new Intl.RelativeTimeFormat(language, { numeric: "always" });
  const units = [["year", 31536e3], ["month", 2592e3], ["day", 86400], ["hour", 3600], ["minute", 60]];

  const since = (then) => {
    const seconds = (then - Date.now()) / 1000;
    for (const [unit, size] of units) {
      if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
    }
    return words.now;
  };

  const times = () => {
    for (const element of $$("time[data-relative]")) {
      const text = since(Date.parse(element.dateTime));
      if (text && element.textContent !== text) element.textContent = text;
    }
  };

  // The live stream: say so when it is cut (the extension itself pauses
  // hidden tabs and connects again)

  const stream = () => {
    let cut = false;
    const mark = (lost) => {
      if (cut === lost) return;
      cut = lost;
      announce(lost ? words.offline : words.online);
      for (const sign of $$("[data-as-of]")) {
        sign.hidden = !lost;
        $("time", sign).textContent = new Date().toLocaleTimeString(language, { timeStyle: "short" });
      }
    };
    on("htmx:sse:error", () => mark(true));
    on("htmx:sse:after:connection", () => mark(false));
    on("htmx:error", (event) => { if (event.target.id !== "live") toast(words.failed, "bad"); });
  };

  // The command palette: pages of the navigation at once, things from the server

  const palette = () => {
    const box = $("#palette");
    if (!box) return;
    const input = $("input", box);
    const found = $("#palette-found", box);

    const pages = () => {
      const wanted = input.value.trim().toLocaleLowerCase(language);
      const list = $$("a[data-nav]").filter((a) => a.dataset.nav.toLocaleLowerCase(language).includes(wanted)).slice(0, 6);
      const holder = $("#palette-pages", box);
      holder.replaceChildren();
      if (!list.length) return;
      const section = holder.appendChild(document.createElement("section"));
      section.className = "hits";
      section.appendChild(document.createElement("h3")).textContent = words.pages;
      const ul = section.appendChild(document.createElement("ul"));
      for (const page of list) {
        const a = ul.appendChild(document.createElement("li")).appendChild(document.createElement("a"));
        a.href = page.href;
        a.dataset.hit = "";
        a.append(...[...page.children].filter((c) => !c.matches(".count")).map((c) => c.cloneNode(true)));
      }
    };

    const open = () => {
      if (box.open) return;
      input.value = "";
      found.replaceChildren();
      pages();
      box.showModal();
      input.focus();
    };

    input.addEventListener("input", () => { pages(); if (!input.value) found.replaceChildren(); });
    box.addEventListener("keydown", (event) => {
      const hits = $$("[data-hit]", box);
      const now = hits.indexOf(document.activeElement);
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        const next = now + (event.key === "ArrowDown" ? 1 : -1);
        (next < 0 ? input : hits[Math.min(next, hits.length - 1)] || input).focus();
      } else if (event.key === "Enter" && now < 0 && hits.length && $("a", found)) {
        event.preventDefault();
        $("[data-hit]", found).click();
      }
    });
    on("keydown", (event) => {
      if (event.key.toLowerCase() === "k" && (event.metaKey || event.ctrlKey) && !event.shiftKey && !event.altKey) {
        event.preventDefault();
        open();
      }
    });
    act("pointerdown", "[data-palette-open] input", (event) => { event.preventDefault(); open(); });
    return open;
  };

  // Keys; single letters can be switched off

  const stored = (value) => {
    try {
      if (value !== undefined) localStorage.setItem("aerie-keys", value);
      return localStorage.getItem("aerie-keys");
    } catch { return null; }
  };

  const move = (step) => {
    const rows = $$("[data-table] tbody tr").filter((row) => row.offsetParent);
    const now = rows.findIndex((row) => row.matches(".on"));
    const row = rows[Math.max(0, Math.min(now + step, rows.length - 1))];
    if (!row) return;
    rows[now]?.classList.remove("on");
    row.classList.add("on");
    $("th a, a, button", row)?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };

  const go = (name) => $(`a[data-nav][href$="/${name}"]`)?.click();

  const keys = () => {
    let prefix = "";
    const help = $("#keys");
    const single = {
      "/": () => ($("[data-filter]") || $(".top-search input"))?.focus(),
      "?": () => help?.showModal(),
      j: () => move(1),
      k: () => move(-1),
      x: () => $("tr.on .pick input")?.click(),
      c: () => $("[data-create]")?.click(),
    };
    const places = { i: "instances", v: "volumes", n: "networks", j: "jobs", e: "events", h: "hosts", d: "dashboard" };
    on("keydown", (event) => {
      if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || stored() === "off") return;
      if (event.target.closest("input, select, textarea, dialog, [contenteditable], .console")) return;
      const action = prefix === "g" ? places[event.key] && (() => go(places[event.key])) : single[event.key];
      prefix = event.key === "g" && prefix !== "g" ? "g" : "";
      if (prefix) setTimeout(() => { prefix = ""; }, 1200);
      if (!action) return;
      event.preventDefault();
      action();
    });
    act("click", "[data-keys]", () => help?.showModal());
    const toggle = $("[data-keys-on]");
    if (!toggle) return;
    toggle.checked = stored() !== "off";
    toggle.addEventListener("change", () => stored(toggle.checked ? "on" : "off"));
  };

  // Preferences: the theme changes at once and is saved behind

  const preferences = () => {
    act("click", "[data-theme-choice]", (event, button) => {
      event.preventDefault();
      const root = document.documentElement;
      if (button.value) root.dataset.theme = button.value; else delete root.dataset.theme;
      for (const each of $$("button", button.form)) each.setAttribute("aria-pressed", String(each === button));
      const body = new URLSearchParams(new FormData(button.form, button));
      fetch(button.form.action, { method: "POST", body, redirect: "manual" }).catch(() => toast(words.failed, "bad"));
    });
    act("change", "[data-submit]", (event, input) => input.form.requestSubmit());
  };

  dialogs();
  menus();
  copying();
  tables();
  sorting();
  filling();
  stream();
  palette();
  keys();
  preferences();
  times();
  setInterval(() => { if (!document.hidden) times(); }, 20000);
  on("visibilitychange", () => { if (!document.hidden) times(); });
  on("htmx:after:swap", times);

  act("click", "[data-dismiss]", (event, button) => button.closest("[data-toast]").remove());
  const toasts = $("#toasts");
  if (toasts) {
    for (const box of toasts.children) expire(box);
    new MutationObserver((changes) => {
      for (const change of changes) for (const node of change.addedNodes) if (node.matches?.("[data-toast]")) expire(node);
    }).observe(toasts, { childList: true });
  }
  if (!mac) for (const key of $$("[data-mod-key], .keys kbd")) key.textContent = key.textContent.replace("⌘", "Ctrl ").replace("  ", " ");
})();
