/**
 * Text as Markdown shows it to the letter, also within a table, on GitHub and elsewhere: one line, no markup, no HTML, no formula.
 */
export function escapeMarkdown(text: string): string {
  return (
    text
      .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll(/[\\`*_{}[\]#|~$]/g, String.raw`\$&`)
      // GitHub makes links of addresses and names, and pictures of :words:.
      .replaceAll(/@(?=\w)/g, '&#64;')
      .replaceAll(/:(?=\/\/|[\w+-]+:)/g, '&#58;')
      .replaceAll(/\bwww\./gi, (word) => `${word.slice(0, -1)}&#46;`)
      // Directions of writing that go on behind the text.
      .replaceAll(/[\u202A-\u202E\u2066-\u2069]/g, '')
  )
}
