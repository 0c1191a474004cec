/** The ids of the jobs in the page's address, after the `#`: browsers send that part to nobody. */

const JOB_ID = /^det_[A-Za-z0-9_-]{22,64}$/;

/** @returns {string[]} */
export function jobsInAddress() {
  return location.hash.slice(1).split("+").filter((id) => JOB_ID.test(id));
}

/** @param {string[]} ids */
export function keepJobsInAddress(ids) {
  const hash = ids.length > 0 ? `#${ids.join("+")}` : "";
  history.replaceState(null, "", location.pathname + hash);
  /** @type {NodeListOf<HTMLAnchorElement>} */
  const samePageElsewhere = document.querySelectorAll(".languages a");
  for (const link of samePageElsewhere) link.hash = hash; // so the other language shows them, too
}
