import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/config/config-file.ts'
import { editConfig, type ConfigValues } from '../../src/config/edit-config.ts'
import { ConfigError } from '../../src/core/errors.ts'

const path = '.codecarbon.config'
const edit = (text: string, values: ConfigValues): string => editConfig(text, values, path)

/** What a text says, by key; where one is given again the last counts. */
const read = (text: string, section?: string): Record<string, unknown> =>
  Object.fromEntries(parseConfig(text, path, section).entries.map(({ key, value }) => [key, value]))

describe('a configuration file that is changed', () => {
  it.each([
    ['is made', '', '[codecarbon]\nproject_id = 7\n'],
    ['has the section added', '[other]\na = 1', '[other]\na = 1\n\n[codecarbon]\nproject_id = 7\n'],
    [
      'has the key behind the others',
      '[codecarbon]\n# a\nx = 1\n\n[b]\n',
      '[codecarbon]\n# a\nx = 1\nproject_id = 7\n\n[b]\n',
    ],
    [
      'has its value replaced',
      '[codecarbon]\n  Project_Id :  6 \nx=1',
      '[codecarbon]\n  Project_Id :  7 \nx=1',
    ],
    ['stays as it is', '[codecarbon]\nproject_id="7"\n', '[codecarbon]\nproject_id="7"\n'],
    [
      'keeps its line ends',
      '\uFEFF[codecarbon]\r\nx=1\r\n',
      '\uFEFF[codecarbon]\r\nx=1\r\nproject_id = 7\r\n',
    ],
    ['keeps the want of a last one', '[codecarbon]', '[codecarbon]\nproject_id = 7'],
    [
      'loses a value of several lines',
      '[codecarbon]\nproject_id = 1\n  ; why\n  2\nx = 3\n',
      '[codecarbon]\nproject_id = 7\n  ; why\nx = 3\n',
    ],
    [
      'has that changed which counts',
      '[codecarbon]\nproject_id=1\nproject_id=2\n',
      '[codecarbon]\nproject_id=1\nproject_id=7\n',
    ],
    [
      'keeps its indentation',
      '[codecarbon]\n  x = 1\n [b]\n',
      '[codecarbon]\n  x = 1\n  project_id = 7\n [b]\n',
    ],
  ])('%s', (_title, before, after) => {
    expect(edit(before, { project_id: '7' })).toBe(after)
  })

  const word = fc.constantFrom('a', 'api_key', 'Pue', 'project_id', 'x y')
  const line = fc.oneof(
    fc
      .tuple(
        fc.constantFrom('', ' ', '   '),
        word,
        fc.constantFrom('=', ' = ', ': '),
        fc.constantFrom('', '1', 'a#b', "'q'", 'é = 2 '),
      )
      .map((parts) => parts.join('')),
    fc.constantFrom('', '  ', '# c', '  ; c', '[b]', ' [b]', '[codecarbon]', '[DEFAULT]', '[other] # c'),
  )
  const text = fc
    .tuple(
      fc.constantFrom('', '\uFEFF'),
      fc.array(line, { maxLength: 12 }),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.boolean(),
    )
    .map(([mark, lines, lineEnd, isClosed]) => mark + lines.join(lineEnd) + (isClosed ? lineEnd : ''))
  const value = fc.oneof(
    fc.constantFrom('', ' a ', '"q"', "it's", 'a=b;c#d%', String.raw`\n`, 'true', '[b]', '# c'),
    fc.string({ unit: fc.constantFrom('a', 'Z', '"', '=', '\\', '#', ' ', 'é', '[') }),
  )

  it('says what it was given, and everything else stays byte for byte', () => {
    fc.assert(
      fc.property(text, word, value, (before, name, given) => {
        fc.pre(!(given.includes('"') && given.includes("'")))
        const key = name.toLowerCase()
        const after = edit(before, { [key]: given })
        const said = read(before)
        expect(read(after)).toEqual({ ...said, [key]: given })
        // An indented heading goes on with the value before it, which only a reader of that section sees.
        const others = before.includes(' [b]') ? [] : ['b', 'other', 'DEFAULT']
        for (const section of others) expect(read(after, section)).toEqual(read(before, section))
        expect(edit(after, { [key]: given })).toBe(after)
        const isKept = piecesOf(before).filter((piece) => !isOf(piece, key))
        expect(after.startsWith('\uFEFF')).toBe(before.startsWith('\uFEFF'))
        // All other lines are there, in their order.
        let from = 0
        const lines = piecesOf(after)
        for (const piece of isKept) {
          from = lines.indexOf(piece, from) + 1
          expect(from, JSON.stringify({ before, after, piece })).toBeGreaterThan(0)
        }
        // A new key is one piece of text put into another that is whole around it.
        const isNew = !Object.hasOwn(read(before.replaceAll('[DEFAULT]', '[none]')), key)
        if (isNew)
          expect(commonStart(before, after) + commonEnd(before, after)).toBeGreaterThanOrEqual(before.length)
      }),
      { numRuns: 2000 },
    )
  })

  const commonStart = (one: string, other: string): number => {
    const at = one.split('').findIndex((_, index) => one[index] !== other[index])
    return at === -1 ? one.length : at
  }
  const reversed = (whole: string): string => whole.split('').toReversed().join('')
  const commonEnd = (one: string, other: string): number => commonStart(reversed(one), reversed(other))

  /** Lines, without their ends. */
  const piecesOf = (whole: string): string[] => whole.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  const isOf = (piece: string, key: string): boolean =>
    piece.trim().toLowerCase().startsWith(key) || /^\s+[^#;\s]/.test(piece)

  it.each(['a\nb', 'a\0', ' "it\'s" '])('refuses a value that no line can hold: %j', (given) => {
    expect(() => edit('', { api_key: given })).toThrow(ConfigError)
  })

  it('says nothing of a value that it refuses', () => {
    expect(() => edit('', { api_key: 'sk-secret\n' })).toThrow(/^api_key: expected a text on one line/)
  })

  it('refuses a file that is no such file', () => {
    expect(() => edit('[codecarbon]\nwhat is this\n', { a: '1' })).toThrow(/:2: expected key = value/)
  })
})
