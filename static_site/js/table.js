/** The results of several files as a table for a spreadsheet, and as data. */

/** @typedef {import("./check.js").Check} Check */

/** @type {[string, (check: Check) => unknown][]} */
const COLUMNS = [
  ["file", ({ file }) => file?.name],
  ["verdict", ({ detection }) => detection?.verdict],
  ["reasons", ({ detection }) => detection?.reasons.join(" ")],
  ["score", ({ detection }) => detection?.pixel.score],
  ["problem", ({ problem }) => problem?.code],
  ["sha256", ({ detection }) => detection?.media.sha256],
  ["model", ({ detection }) => detection && `${detection.model.id} ${detection.model.version}`],
  ["id", ({ detection }) => detection?.id],
  ["expires_at", ({ detection }) => detection?.expires_at],
];

/** What a spreadsheet would take for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** @param {Check[]} checks */
export function toCsv(checks) {
  const rows = [COLUMNS.map(([name]) => name), ...checks.map((check) => COLUMNS.map(([, read]) => read(check)))];
  return rows.map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

/**
 * @param {Check[]} checks
 * @param {string} caution
 */
export function toJson(checks, caution) {
  const results = checks.map(({ file, detection, problem }) => ({ file: file?.name, problem: problem?.code, ...detection }));
  return JSON.stringify({ caution, results }, null, 2);
}

/** @param {unknown} value */
function quoted(value) {
  const text = String(value ?? "");
  const harmless = typeof value === "string" && FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
