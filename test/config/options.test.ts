import { describe, expect, it } from 'vitest'
import { optionSpecs, toSnakeCase, type OptionSpec } from '../../src/config/option-table.ts'
import { fromCode, fromEnvironment, fromFlags, resolveOptions } from '../../src/config/resolve-options.ts'
import { ConfigError } from '../../src/core/errors.ts'

const goodText: Record<OptionSpec['type'], string> = {
  text: 'some text',
  number: '12.5',
  integer: '12',
  switch: 'Yes',
  choice: '',
  list: 'csv',
}
const goodOf = ({ type, choices }: OptionSpec): string =>
  type === 'choice' ? (choices?.[0] ?? '') : goodText[type]
const typed = (text: string, { type }: OptionSpec): unknown =>
  type === 'number' || type === 'integer'
    ? Number(text)
    : type === 'switch'
      ? true
      : type === 'list'
        ? [text]
        : text
const variable = (name: string): string => `CODECARBON_${toSnakeCase(name).toUpperCase()}`

describe.each(optionSpecs)('%s', (name, spec) => {
  it('is understood from every source', () => {
    const text = goodOf(spec)
    const value = typed(text, spec)
    expect(resolveOptions(fromCode({ [name]: value })).options[name]).toEqual(value)
    expect(resolveOptions(fromFlags({ [name]: text })).options[name]).toEqual(value)
    expect(resolveOptions(fromEnvironment({ [variable(name)]: text })).options[name]).toEqual(value)
    expect(resolveOptions(fromEnvironment({ [variable(name).toLowerCase()]: text })).options[name]).toEqual(
      value,
    )
  })

  it.runIf(spec.type !== 'text')(
    'is refused from every source where its value is wrong, naming it and its source',
    () => {
      const wrong = spec.type === 'choice' || spec.type === 'list' ? 'nonsense' : 'maybe'
      for (const [source, spelling] of [
        [fromCode({ [name]: wrong }), `option ${name}`],
        [fromFlags({ [name]: wrong }), `--${toSnakeCase(name).replaceAll('_', '-')}`],
        [fromEnvironment({ [variable(name)]: wrong }), variable(name)],
      ] as const) {
        expect(() => resolveOptions(source)).toThrow(ConfigError)
        expect(() => resolveOptions(source)).toThrow(`${spelling}: expected `)
        expect(() => resolveOptions(source)).toThrow(`got "${wrong}"`)
      }
    },
  )

  it.runIf(spec.min !== undefined)(
    'is refused below its least value, and where it is no finite number',
    () => {
      for (const value of [(spec.min ?? 0) - 1, NaN, Infinity]) {
        expect(() => resolveOptions(fromCode({ [name]: value }))).toThrow(`of at least ${spec.min}`)
      }
    },
  )
})

describe('options', () => {
  it('of later sources count more', () => {
    const { options } = resolveOptions(
      fromEnvironment({ CODECARBON_PUE: '2', CODECARBON_WUE: '1' }),
      fromCode({ pue: 1.5 }),
    )
    expect(options).toMatchObject({ pue: 1.5, wue: 1 })
  })

  it('that are wrong and overridden are a warning', () => {
    const { options, warnings } = resolveOptions(
      fromEnvironment({ CODECARBON_PUE: 'x' }),
      fromCode({ pue: 1.5 }),
    )
    expect(options.pue).toBe(1.5)
    expect(warnings).toEqual([expect.stringContaining('CODECARBON_PUE: expected a number')])
  })

  it('that there are not are an error in code, and a warning in the environment, with the nearest one', () => {
    expect(() => resolveOptions(fromCode({ projectNam: 'x' } as never))).toThrow(
      'did you mean option projectName?',
    )
    const { warnings } = resolveOptions(fromEnvironment({ CODECARBON_PROJECT_NAM: 'x' }))
    expect(warnings).toEqual([expect.stringContaining('did you mean CODECARBON_PROJECT_NAME?')])
  })

  it('that are undefined are not given', () => {
    expect(resolveOptions(fromCode({ pue: undefined })).options.pue).toBe(1)
  })
})
