/** How the cells of a column stand. */
export type Alignment = 'left' | 'right'

/** A table of GitHub's Markdown. Cells are Markdown already: what is other people's has to be escaped. */
export function markdownTable(
  header: readonly string[],
  alignments: readonly Alignment[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = alignments.map((alignment) => (alignment === 'right' ? '---:' : '---'))
  return [line(header), line(rule), ...rows.map(line)].join('\n')
}
