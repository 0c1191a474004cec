/** The ids of the jobs in the page's address, after the `#`: browsers send that part to nobody. */

import { MOST_FILES } from "./file-check.js";

const JOB_ID = /^det_[A-Za-z0-9_-]{22,64}$/;

/** @returns {string[]} each once, and no more than the page checks at a time */
export function jobsInAddress() {
  const ids = location.hash.slice(1).split("+").filter((id) => JOB_ID.test(id));
  return [...new Set(ids)].slice(0, MOST_FILES);
}

/** @param {string[]} ids */
export function keepJobsInAddress(ids) {
  const hash = ids.length > 0 ? `#${ids.join("+")}` : "";
  history.replaceState(null, "", location.pathname + hash);
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const samePageElsewhere = document.querySelectorAll(".languages a");
  for (const link of samePageElsewhere) link.hash = hash; // so the other language shows them, too
}
