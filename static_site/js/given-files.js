/** Files that come by an address of this page: the sample, and what another app shared. */

const SHELF = "shared";
const SAMPLE = "/samples/landscape.jpg";

export const SAMPLE_ADDRESS = "#sample";
export const SHARED_ADDRESS = "#shared";

/** @returns {Promise<File[]>} */
export async function fetchSample() {
  const response = await fetch(SAMPLE);
  if (!response.ok) throw new Error(`The sample is answered with ${response.status}.`);
  return [new File([await response.blob()], "landscape.jpg", { type: "image/jpeg" })];
}

/**
 * What the service worker laid down. It is taken away by that.
 * @returns {Promise<File[]>}
 */
export async function takeShared() {
  const shelf = await caches.open(SHELF);
  const files = (await shelf.matchAll()).map(async (response) => {
    const name = decodeURIComponent(response.headers.get("X-Name") ?? "");
    return new File([await response.blob()], name, { type: response.headers.get("Content-Type") ?? "" });
  });
  await caches.delete(SHELF);
  return Promise.all(files);
}
