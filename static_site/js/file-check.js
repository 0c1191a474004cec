/** Look at a file before it is sent, so that nobody waits for an upload that will be refused. */

import { Problem } from "./problems.js";

/** @typedef {import("./api.js").Limits} Limits */

/** At once. */
export const MOST_FILES = 20;

/** Our names of video formats, and what an upload of them is declared as.
 * @type {Record<string, string>} */
export const VIDEO_TYPES = {
  mp4: "video/mp4",
  mov: "video/quicktime",
  avi: "video/x-msvideo",
  wmv: "video/x-ms-wmv",
  webm: "video/webm",
  mkv: "video/x-matroska",
};

const HEAD_BYTES = 128;
const OLD_QUICKTIME_BOXES = ["moov", "mdat", "free", "skip", "wide", "pnot"];
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
  if (text.startsWith("RIFF") && text.slice(8, 12) === "AVI ") return "avi";
  if (text.startsWith("\x30\x26\xb2\x75\x8e\x66\xcf\x11")) return "wmv";
  if (text.startsWith("\x1a\x45\xdf\xa3")) return text.slice(0, 64).includes("webm") ? "webm" : "mkv";
  if (OLD_QUICKTIME_BOXES.includes(text.slice(4, 8))) return "mov";
  if (text.slice(4, 8) !== "ftyp") return null;
  const length = new DataView(head.buffer).getUint32(0);
  const brands = text.slice(8, length).match(/.{4}/gs) ?? [];
  if (brands.some((brand) => AVIF_BRANDS.includes(brand))) return "avif";
  if (brands.some((brand) => HEIC_BRANDS.includes(brand))) return "heic";
  return brands[0] === "qt  " ? "mov" : "mp4";
}

/**
 * What an upload of this format is declared as.
 * @param {string | null} format
 */
export function mediaType(format) {
  if (!format) return "application/octet-stream";
  return VIDEO_TYPES[format] ?? `image/${format}`;
}

/**
 * @param {File} file
 * @param {Limits | null} limits unknown limits are left to the API
 * @returns {Promise<string | null>} the file's format; rejects with a Problem when it breaks a published limit
 */
export async function checkFile(file, limits) {
  if (file.size === 0) throw new Problem("empty_file");
  const format = sniffFormat(await readHead(file));
  if (!limits) return format;
  if (format === null || !isAccepted(format, limits)) throw new Problem("unsupported_type");
  const most = format in VIDEO_TYPES ? limits.max_video_bytes : limits.max_file_bytes;
  if (file.size > most) throw new Problem("file_too_large");
  return format;
}

/**
 * @param {string} format
 * @param {Limits} limits
 */
function isAccepted(format, limits) {
  return limits.formats.some(({ name }) => name === format) || limits.upload_content_types.includes(VIDEO_TYPES[format]);
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
