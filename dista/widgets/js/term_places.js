// Where the glossary's terms stand in a text, and how they look there.

export const NAME = "dista-term";
// The line is drawn below descenders as well: under "µJ" it would else be seen below the first letter alone.
export const LOOK = `:root, :host { text-decoration-skip-ink: none; }
::highlight(${NAME}) { text-decoration: underline dotted; text-decoration-thickness: 1px; }`;

/**
 * Where terms stand in a text, each with its hint: begin and end.
 * @param {string} text
 * @param {RegExp} expression
 * @param {Record<string, string>} hints
 */
export function places(text, expression, hints) {
  const listed = [];
  for (const match of text.matchAll(expression)) {
    const word = match[0];
    const hint =
      hints[word] ?? hints[word[0].toLowerCase() + word.slice(1)] ?? hints[word[0].toUpperCase() + word.slice(1)];
    if (hint) listed.push({ begin: match.index, end: match.index + word.length, hint });
  }
  return listed;
}
