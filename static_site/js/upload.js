/** Send one file, with the true progress of its bytes; `fetch` reports none for uploads. */

import { Cancelled, Problem } from "./problems.js";

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
 * @param {{signal: AbortSignal, onProgress: (fraction: number) => void, onSent: () => void}} options
 * @returns {Promise<Answer>} rejects with Problem or Cancelled
 */
export function postFile(url, file, { signal, onProgress, onSent }) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Cancelled());
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json, application/problem+json");
    request.timeout = DEADLINE_MS;

    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.upload.onload = onSent;
    request.onload = () => resolve({ status: request.status, body: parse(request.responseText) });
    request.onerror = () => reject(new Problem(navigator.onLine ? "network" : "offline"));
    request.ontimeout = () => reject(new Problem("timeout"));
    request.onabort = () => reject(new Cancelled());
    signal.addEventListener("abort", () => request.abort(), { once: true });

    const form = new FormData();
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
