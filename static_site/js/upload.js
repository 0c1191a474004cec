/** Send one file, with the true progress of its bytes; `fetch` reports none for uploads. */

import { Cancelled, Problem } from "./problems.js";

/** Without a byte going out or, once all are sent, without an answer. A large file may take its time. */
const DEADLINE_MS = 120_000;

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {any} body parsed JSON, or null
 */

/**
 * The file travels under a neutral name: its own may say more than its owner meant to.
 *
 * @param {string} url
 * @param {File} file
 * @param {{signal: AbortSignal, onProgress: (share: number) => void, onSent: () => void, fields?: Record<string, string>}} options
 * `fields` go before the file
 * @returns {Promise<Answer>} rejects with Problem or Cancelled
 */
export function postFile(url, file, { signal, onProgress, onSent, fields = {} }) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Cancelled());
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json, application/problem+json");

    let timer = 0;
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        reject(new Problem("timeout"));
        request.abort();
      }, DEADLINE_MS);
    };
    request.upload.onprogress = (event) => {
      wait();
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.upload.onload = () => {
      wait();
      onSent();
    };
    request.onload = () => resolve({ status: request.status, body: parse(request.responseText) });
    request.onerror = () => reject(new Problem(navigator.onLine ? "network" : "offline"));
    request.onabort = () => reject(new Cancelled());
    request.onloadend = () => clearTimeout(timer);
    signal.addEventListener("abort", () => request.abort(), { once: true });

    wait();
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", file, "image");
    request.send(form);
  });
}

/** @param {string} text */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
