import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseConfig, readConfigFile } from '../../src/config/config-file.ts'
import { ConfigError } from '../../src/core/errors.ts'
import { asNobody } from '../fixtures/as-nobody.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

const path = '/home/ada/.codecarbon.config'

const valuesOf = (text: string): Record<string, unknown> =>
  Object.fromEntries(parseConfig(text, path).entries.map(({ key, value }) => [key, value]))

const valueOf = (line: string): unknown => Object.values(valuesOf(`[codecarbon]\n${line}\n`))[0]

/** The message of the ConfigError that reading a file gives. */
function complaintOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  return expect.fail('nothing was refused')
}

describe('a value', () => {
  it.each([
    ['api_key = ab%cd%%', 'ab%cd%%'],
    ['api_key = a#b', 'a#b'],
    ['api_key = a # b', 'a # b'],
    ['api_key = a;b ; c', 'a;b ; c'],
    ['api_key = a=b==', 'a=b=='],
    ['api_key=a:b', 'a:b'],
    ['api_key: a=b', 'a=b'],
    ['api_key : http://host:80/x', 'http://host:80/x'],
    [String.raw`output_dir = C:\temp\new;x`, String.raw`C:\temp\new;x`],
    [String.raw`output_dir = \\server\share`, String.raw`\\server\share`],
    ['project_name = "in quotes"', 'in quotes'],
    ["project_name = 'in quotes'", 'in quotes'],
    ['project_name = "  kept  "', '  kept  '],
    ['project_name = "half', '"half'],
    ['project_name = say "hello" now', 'say "hello" now'],
    ['project_name = "a" and "b"', '"a" and "b"'],
    ['project_name = "# not a comment; this"', '# not a comment; this'],
    ['project_name = \'"both"\'', '"both"'],
    ['project_name = []', '[]'],
    ['gpu_ids = [0, 1]', '[0, 1]'],
    ['project_name = true', 'true'],
    ['project_name = null', 'null'],
    ['project_name = 007', '007'],
    ['project_name = {"json": "yes"}', '{"json": "yes"}'],
    ['project_name =', ''],
    ['project_name = Zürich 东京 🚀', 'Zürich 东京 🚀'],
    ['project_name = __proto__', '__proto__'],
    ['   project_name   =   x   ', 'x'],
  ])('survives as it stands: %s', (line, value) => {
    expect(valueOf(line)).toBe(value)
  })

  it('ends where the next key stands no further in, however far all are indented', () => {
    expect(valuesOf('[codecarbon]\n  project_name = demo\n  output_dir = out\n  pue = 1.3\n')).toEqual({
      project_name: 'demo',
      output_dir: 'out',
      pue: '1.3',
    })
  })

  it('goes on behind a comment in between', () => {
    expect(valuesOf('[codecarbon]\noutput_methods = csv,\n  # more\n  jsonl\n')).toEqual({
      output_methods: 'csv, jsonl',
    })
  })

  it.each(["'", '"'])('that is a lone %s is that', (quote) => {
    expect(valueOf(`project_name = ${quote}`)).toBe(quote)
  })

  it('may go on in indented lines', () => {
    expect(valuesOf('[codecarbon]\ngpu_ids = 0,\n  1,\n\t2\npue = 1.2\n')).toEqual({
      gpu_ids: '0, 1, 2',
      pue: '1.2',
    })
  })
})

describe('a file', () => {
  it('has keys in any case, with their lines', () => {
    const { entries } = parseConfig('; first\n\n[codecarbon]\n# second\nMeasure_Power_Secs = 3\n', path)
    expect(entries).toEqual([
      {
        key: 'measure_power_secs',
        value: '3',
        where: `${path}:5: Measure_Power_Secs`,
        path,
        line: 5,
      },
    ])
  })

  it.each([
    ['CRLF', '[codecarbon]\r\npue = 1.5\r\nwue = 2\r\n'],
    ['a byte order mark', '\uFEFF[codecarbon]\npue = 1.5\nwue = 2'],
    ['lone carriage returns', '[codecarbon]\rpue = 1.5\rwue = 2\r'],
  ])('may have %s', (_, text) => {
    expect(valuesOf(text)).toEqual({ pue: '1.5', wue: '2' })
  })

  it('may have sections of others, which are left alone', () => {
    const { entries, warnings } = parseConfig(
      '[comet]\nkey = x\nnonsense\n[codecarbon]\npue = 2\n[z]\npue = 3',
      path,
    )
    expect(entries.map(({ value }) => value)).toEqual(['2'])
    expect(warnings).toEqual([])
  })

  it('may have options for all sections, below those of ours', () => {
    expect(valuesOf('[DEFAULT]\npue = 1.4\nwue = 1\n[codecarbon]\npue = 1.2\n')).toEqual({
      pue: '1.2',
      wue: '1',
    })
  })

  it('with a secret on a broken line does not tell it', () => {
    expect(complaintOf(() => parseConfig('[codecarbon]\napi_key sk-secret\n', path))).not.toContain(
      'sk-secret',
    )
  })

  it('with a section that is almost ours says so', () => {
    expect(parseConfig('[CodeCarbon]\npue = 2\n', path).warnings).toEqual([
      `${path}:1: [CodeCarbon] is not read; did you mean [codecarbon]?`,
    ])
  })

  it('with an option before any section says so', () => {
    expect(parseConfig('pue = 2\n[codecarbon]\n', path).warnings).toEqual([
      `${path}:1: pue stands outside of [codecarbon] and is not read`,
    ])
  })

  it('with a line that says nothing is refused, by its number', () => {
    expect(complaintOf(() => parseConfig('[codecarbon]\npue = 2\nnonsense\n', path))).toBe(
      `${path}:3: expected key = value, got a line that begins with "nonsense"`,
    )
  })

  it('that is empty says nothing', () => {
    for (const text of ['', '\n', '\uFEFF', '[codecarbon]', '# a\n']) expect(valuesOf(text)).toEqual({})
  })

  it('takes no key for a property of every object', () => {
    expect(valueOf('__proto__ = x')).toBe('x')
    expect(valueOf('constructor = x')).toBe('x')
    expect(valueOf('a.b[c] = x')).toBe('x')
  })
})

describe('a file on the disk', () => {
  it('that is not there is none', () => {
    const folder = temporaryFolder()
    expect(readConfigFile(join(folder, 'missing'))).toBeUndefined()
    writeFileSync(join(folder, 'file'), '')
    expect(readConfigFile(join(folder, 'file/missing'))).toBeUndefined()
  })

  it.each([
    [
      'of 5 MB',
      (file: string) => writeFileSync(file, `[codecarbon]\n${'# long\n'.repeat(750_000)}`),
      'larger than 1024 KiB',
    ],
    [
      'that is binary',
      (file: string) => writeFileSync(file, Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0, 1])),
      'no text in UTF-8',
    ],
    [
      'of another encoding',
      (file: string) => writeFileSync(file, Buffer.from('[codecarbon]\nregion = Qu\xe9bec', 'latin1')),
      'no text in UTF-8',
    ],
    ['that is a folder', (file: string) => mkdirSync(file), 'it is a folder'],
  ])('%s is refused with a sentence that names it', (_, make, reason) => {
    const file = join(temporaryFolder(), '.codecarbon.config')
    make(file)
    const message = complaintOf(() => readConfigFile(file))
    expect(message.startsWith(`${file}: `)).toBe(true)
    expect(message).toContain(reason)
  })

  it.skipIf(process.getuid?.() !== 0)(
    'in a folder that this user may not enter is another user’s: passed over with a warning',
    () => {
      const folder = temporaryFolder()
      writeFileSync(join(folder, '.codecarbon.config'), '[codecarbon]\n')
      chmodSync(folder, 0o700)
      const file = asNobody(() => readConfigFile(join(folder, '.codecarbon.config')))
      expect(file).toMatchObject({
        entries: [],
        warnings: [expect.stringContaining('may not enter') as string],
      })
    },
  )

  it('that may not be read is refused', () => {
    const file = join(temporaryFolder(), '.codecarbon.config')
    writeFileSync(file, '[codecarbon]\n')
    chmodSync(dirname(file), 0o755)
    chmodSync(file, 0)
    expect(asNobody(() => complaintOf(() => readConfigFile(file)))).toMatch(/cannot be read: EACCES/)
  })
})
