// Fills static/vendor from the pinned npm packages: `npm ci && npm run vendor`.
// Each console library is a bundle of its own, so that only its page loads it.
import { build } from "esbuild";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "..", "node_modules");
const out = join(here, "vendor");

const copies = {
  "htmx.org/dist/htmx.min.js": "htmx.js",
  "htmx.org/dist/ext/hx-sse.min.js": "htmx-sse.js",
  "@xterm/xterm/css/xterm.css": "xterm.css",
  "uplot/dist/uPlot.min.css": "uplot.css",
};

const bundles = {
  "novnc.js": `export { default } from "@novnc/novnc"; export { default as keysyms } from "./@novnc/novnc/core/input/keysymdef.js";`,
  "xterm.js": `export { Terminal } from "@xterm/xterm"; export { FitAddon } from "@xterm/addon-fit";`,
  "uplot.js": `export { default } from "uplot";`,
};

const licences = ["htmx.org", "@novnc/novnc", "@xterm/xterm", "@xterm/addon-fit", "uplot", "lucide-static"];

async function sprite() {
  const names = JSON.parse(await readFile(join(here, "icons.json"), "utf8"));
  const symbols = await Promise.all(names.map(async (name) => {
    const svg = await readFile(join(modules, "lucide-static", "icons", `${name}.svg`), "utf8");
    const shapes = svg.replace(/<!--.*?-->/gs, "").match(/<svg[^>]*>(.*)<\/svg>/s)[1];
    return `<symbol id="${name}" viewBox="0 0 24 24">${shapes.replace(/\s+/g, " ").replace(/> </g, "><").trim()}</symbol>`;
  }));
  return `<svg xmlns="http://www.w3.org/2000/svg" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">${symbols.join("")}</svg>\n`;
}

async function notices() {
  const require = createRequire(import.meta.url);
  const parts = await Promise.all(licences.map(async (name) => {
    const pkg = require(join(modules, name, "package.json"));
    for (const file of ["LICENSE", "LICENSE.txt", "LICENSE.md"]) {
      const text = await readFile(join(modules, name, file), "utf8").catch(() => "");
      if (text) return `${name} ${pkg.version} (${pkg.license})\n\n${text.trim()}\n`;
    }
    return `${name} ${pkg.version} (${pkg.license})\n`;
  }));
  return parts.join(`\n${"-".repeat(72)}\n\n`);
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
for (const [from, to] of Object.entries(copies)) await cp(join(modules, from), join(out, to));
for (const [to, contents] of Object.entries(bundles)) {
  await build({
    stdin: { contents, resolveDir: modules },
    outfile: join(out, to),
    bundle: true, minify: true, format: "esm", target: "es2022", legalComments: "none", logLevel: "warning",
  });
}
await writeFile(join(out, "icons.svg"), await sprite());
await writeFile(join(out, "LICENSES.txt"), await notices());
