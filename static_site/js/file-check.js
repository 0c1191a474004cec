/** Look at a file before it is sent, so that nobody waits for an upload that will be refused. */

import { Problem } from "./problems.js";

/** @typedef {import("./api.js").Limits} Limits */

const HEAD_BYTES = 128;
const AVIF_BRANDS = ["avif", "avis"];
const HEIC_BRANDS = ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"];

/**
 * Name the format by the first bytes, whatever the file is called.
 * @param {Uint8Array} head
 * @returns {string | null}
 */
export function sniffFormat(head) {
  const text = String.fromCharCode(...head);
  if (text.startsWith("\xff\xd8\xff")) return "jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (text.startsWith("RIFF") && text.slice(8, 12) === "WEBP") return "webp";
  if (text.slice(4, 8) !== "ftyp") return null;
  const length = new DataView(head.buffer).getUint32(0);
  const brands = text.slice(8, length).match(/.{4}/gs) ?? [];
  if (brands.some((brand) => AVIF_BRANDS.includes(brand))) return "avif";
  return brands.some((brand) => HEIC_BRANDS.includes(brand)) ? "heic" : null;
}

/**
 * Throws a Problem when the file breaks a published limit.
 * @param {File} file
 * @param {Limits | null} limits unknown limits are left to the API
 */
export async function checkFile(file, limits) {
  if (file.size === 0) throw new Problem("empty_file");
  if (!limits) return;
  if (file.size > largestUpload(limits)) throw new Problem("file_too_large");
  const format = sniffFormat(await readHead(file));
  if (!limits.formats.some(({ name }) => name === format)) throw new Problem("unsupported_type");
}

/** @param {File} file */
async function readHead(file) {
  try {
    return new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
  } catch {
    throw new Problem("unreadable_file"); // a folder, or a file that was moved since
  }
}

/**
 * Throws a Problem when the picture breaks a published limit.
 * @param {{width: number, height: number}} sides
 * @param {Limits | null} limits
 */
export function checkSides({ width, height }, limits) {
  if (!limits) return;
  if (width * height > limits.max_pixels) throw new Problem("too_many_pixels");
  if (Math.min(width, height) < limits.min_side_px) throw new Problem("image_too_small");
}

/** @param {Limits} limits */
export function largestUpload(limits) {
  return Math.min(limits.max_upload_bytes, limits.max_file_bytes);
}
