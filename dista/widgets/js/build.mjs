// Joins the modules into one file a component, which is what both hosts can mount, and writes them to ../built.
// The results are committed: whoever installs the package needs no node. `--check` only compares.

import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

const COMPONENTS = [
  "streamlit",
  "jupyter",
  "threshold",
  "brush",
  "pad",
  "downloads",
  "lesson",
  "figures",
  "terms",
  "keyboard",
  "tour",
];
const HERE = import.meta.dirname;
const BUILT = join(HERE, "..", "built");

// What Python compares, where there is no node, to know whether the bundles are those of the sources.
async function digest() {
  const hash = createHash("sha256");
  for (const name of (await readdir(HERE)).filter((file) => file.endsWith(".js")).sort()) {
    hash.update(`${name}\n`).update(await readFile(join(HERE, name)));
  }
  return `${hash.digest("hex")}\n`;
}

// Nothing is made smaller: the page's own tools show readable code, and a change is a readable difference.
async function bundles() {
  const { outputFiles } = await build({
    entryPoints: COMPONENTS.map((name) => join(HERE, `${name}.js`)),
    absWorkingDir: HERE,
    outdir: BUILT,
    bundle: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    write: false,
  });
  return outputFiles.map(({ path, text }) => [path, text]);
}

const made = [...(await bundles()), [join(BUILT, "sources.sha256"), await digest()]];
if (process.argv.includes("--check")) {
  for (const [path, text] of made) {
    if ((await readFile(path, "utf8").catch(() => "")) !== text) {
      console.error(`${path} is not what its sources give: npm run build, and commit it`);
      process.exitCode = 1;
    }
  }
} else {
  await mkdir(BUILT, { recursive: true });
  for (const [path, text] of made) await writeFile(path, text);
}
