/**
 * Text as LaTeX prints it to the letter, in a paragraph or a table cell, on one line. Needs no package. Letters with accents stay as they are
 * where every encoding has them; other characters that pdfLaTeX's utf8 may not know go through {@link characterMacro}.
 */
export function escapeLatex(text: string): string {
  return text
    .normalize('NFC')
    .replaceAll(/\s*[\p{Cc}\u2028\u2029]+\s*/gu, ' ')
    .replaceAll(/./gu, toLatex)
    .replaceAll(ligatures, '$1{}')
}

/** Two of these become one sign: `--` a dash, `,,` an opening quote. */
const ligatures = /([-,])(?=\1)/g

function toLatex(character: string): string {
  const special = specials[character]
  if (special !== undefined) return special
  if (/[ -~]/.test(character) || isPlainLetter(character)) return character
  const codePoint = character.codePointAt(0) ?? 0xfffd
  const hexadecimal = codePoint.toString(16).toUpperCase().padStart(4, '0')
  return `\\codecarbonchar{${character}}{${codePoint}}{${hexadecimal}}`
}

/** Only commands that the encodings OT1, T1 and TU all have. Brackets and stars would be read as options of `\\`. */
const specials: Readonly<Record<string, string>> = {
  '\\': String.raw`\textbackslash{}`,
  '{': String.raw`\{`,
  '}': String.raw`\}`,
  $: String.raw`\$`,
  '&': String.raw`\&`,
  '#': String.raw`\#`,
  '^': String.raw`\textasciicircum{}`,
  _: String.raw`\_\allowbreak{}`,
  '%': String.raw`\%`,
  '~': String.raw`\textasciitilde{}`,
  '<': String.raw`\textless{}`,
  '>': String.raw`\textgreater{}`,
  '|': String.raw`\textbar{}`,
  '"': String.raw`\textquotedblright{}`,
  "'": String.raw`\textquoteright{}`,
  '`': String.raw`\textquoteleft{}`,
  '[': '{[}',
  ']': '{]}',
  '*': '{*}',
  '/': String.raw`/\allowbreak{}`,
  '\u00A0': '~',
  '‘': String.raw`\textquoteleft{}`,
  '’': String.raw`\textquoteright{}`,
  '“': String.raw`\textquotedblleft{}`,
  '”': String.raw`\textquotedblright{}`,
  '–': String.raw`\textendash{}`,
  '—': String.raw`\textemdash{}`,
  '…': String.raw`\textellipsis{}`,
  µ: String.raw`\ensuremath{\mu}`,
  μ: String.raw`\ensuremath{\mu}`,
  '×': String.raw`\ensuremath{\times}`,
  '°': String.raw`\ensuremath{^{\circ}}`,
}

/**
 * Latin letters whose accents the old default encoding OT1 can make too, which pdfLaTeX's utf8 prints without any package: not the ogonek, nor
 * eth and thorn.
 */
function isPlainLetter(character: string): boolean {
  if ('ßÆæŒœØøŁłıȘșȚț'.includes(character)) return true
  const isEarly = character <= '\u017F'
  return (
    isEarly && /^[A-Za-z][\u0300-\u0304\u0306-\u0308\u030A-\u030C\u0327]$/.test(character.normalize('NFD'))
  )
}

/**
 * Defines `\codecarbonchar{character}{decimal}{hexadecimal}` unless the document has its own. XeLaTeX and LuaLaTeX (known by
 * `\Umathchar`) print the character if the font has it, or if a package for Chinese, Japanese or Korean finds the font; else, and in
 * pdfLaTeX, there stands `[U+5B9E]`. The number is decimal because `"` means other things in a German document.
 */
export const characterMacro: string = String.raw`\ifdefined\Umathchar
  \providecommand{\codecarbonchar}[3]{\iffontchar\font#2 #1\else
    \ifdefined\xeCJKsetup#1\else\ifdefined\ltjsetparameter#1\else{[}U+#3{]}\allowbreak\fi\fi\fi}
\else
  \providecommand{\codecarbonchar}[3]{{[}U+#3{]}\allowbreak}
\fi`
