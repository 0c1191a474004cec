/** The words of the page's language, and numbers and dates as its readers write them. */

const LOWEST_SHOWN = 1;
const HIGHEST_SHOWN = 99;

export class Messages {
  /** @type {Record<string, string>} */
  #catalogue;
  /** @type {string} */
  #lang;

  /**
   * @param {Record<string, string>} catalogue
   * @param {string} lang
   */
  constructor(catalogue, lang) {
    this.#catalogue = catalogue;
    this.#lang = lang;
  }

  /** Read the data block that the render left in the page. */
  static fromPage() {
    const block = document.getElementById("messages");
    if (!block) throw new Error("The page has no messages.");
    return new Messages(JSON.parse(block.textContent ?? "{}"), document.documentElement.lang);
  }

  /**
   * @param {string} key
   * @param {Record<string, string>} [values] already formatted
   */
  text(key, values = {}) {
    const message = this.#catalogue[key];
    if (message === undefined) throw new Error(`There is no message ${key}.`);
    return message.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
  }

  /** @param {number} value */
  integer(value) {
    return new Intl.NumberFormat(this.#lang, { maximumFractionDigits: 0 }).format(value);
  }

  /**
   * A score as a percentage that claims neither certainty.
   * @param {number} score 0..1
   */
  score(score) {
    const percent = Math.min(HIGHEST_SHOWN, Math.max(LOWEST_SHOWN, Math.round(score * 100)));
    return new Intl.NumberFormat(this.#lang, { style: "percent" }).format(percent / 100);
  }

  /** @param {number} rate 0..1 */
  percent(rate) {
    return new Intl.NumberFormat(this.#lang, { style: "percent", maximumFractionDigits: 1 }).format(rate);
  }

  /**
   * A file's size, rounded up, so that a file over a limit never reads like the limit.
   * @param {number} bytes
   */
  size(bytes) {
    return bytes < 100_000 ? this.#unit(Math.ceil(bytes / 100) / 10, "kilobyte") : this.#megabytes(Math.ceil(bytes / 100_000));
  }

  /**
   * A limit, rounded down.
   * @param {number} bytes
   */
  limit(bytes) {
    return this.#megabytes(Math.floor(bytes / 100_000));
  }

  /** @param {number} milliseconds */
  milliseconds(milliseconds) {
    return this.#unit(Math.round(milliseconds), "millisecond");
  }

  /** @param {string} iso */
  moment(iso) {
    // Day before month, as in the rest of the English pages.
    const lang = this.#lang === "en" ? "en-GB" : this.#lang;
    return new Intl.DateTimeFormat(lang, { dateStyle: "long", timeStyle: "short" }).format(new Date(iso));
  }

  /**
   * A moment of a video, as players show it.
   * @param {number} seconds
   */
  time(seconds) {
    const whole = Math.floor(seconds + 0.05);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  }

  /**
   * @param {number} start in seconds
   * @param {number} end
   */
  stretch(start, end) {
    return `${this.time(start)}\u2013${this.time(end)}`;
  }

  /** @param {number} seconds */
  seconds(seconds) {
    return new Intl.NumberFormat(this.#lang, { style: "unit", unit: "second", unitDisplay: "long", maximumFractionDigits: 0 }).format(seconds);
  }

  /** @param {string[]} words */
  all(words) {
    return new Intl.ListFormat(this.#lang, { type: "conjunction" }).format(words);
  }

  /** @param {string[]} words */
  list(words) {
    return new Intl.ListFormat(this.#lang, { type: "disjunction" }).format(words);
  }

  /** @param {number} tenths */
  #megabytes(tenths) {
    return this.#unit(tenths / 10, "megabyte");
  }

  /**
   * @param {number} value
   * @param {string} unit
   */
  #unit(value, unit) {
    return new Intl.NumberFormat(this.#lang, { style: "unit", unit, maximumFractionDigits: 1 }).format(value);
  }
}
