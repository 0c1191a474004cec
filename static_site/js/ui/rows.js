/** Pairs of words as elements: what lists of facts and of statements are made of. */

/**
 * @param {string} wrapper
 * @param {string} name
 * @param {string} description
 * @param {[string, string]} pair
 */
function pairOf(wrapper, name, description, pair) {
  const root = document.createElement(wrapper);
  root.append(...[name, description].map((tag, i) => Object.assign(document.createElement(tag), { textContent: pair[i] })));
  return root;
}

/**
 * A term with its value, for a `dl`.
 * @param {[string, string]} pair
 */
export function fact(pair) {
  return pairOf("div", "dt", "dd", pair);
}

/**
 * A headline with its sentence, for a `ul`.
 * @param {[string, string]} pair
 */
export function statement(pair) {
  return pairOf("li", "strong", "span", pair);
}
