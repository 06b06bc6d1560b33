/**
 * Text as Markdown shows it to the letter, also within a table, on GitHub and elsewhere: one line, no markup, no HTML, no formula.
 */
export function escapeMarkdown(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_{}[\]#|~$]/g, String.raw`\$&`)
}
