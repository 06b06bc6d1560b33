import { nearest } from '../../config/nearest.ts'

/** What a hook may be asked for by. */
interface Named {
  readonly name: string
  readonly alias?: string
}

/** What `integrations` asks for. */
export interface Choice<Hook> {
  readonly hooks: readonly Hook[]
  /** They were asked for by name. */
  readonly isByName: boolean
  /** What is wrong with it, in one sentence. */
  readonly problem?: string | undefined
}

/** The hooks that `integrations` names: `all`, `none`, or a list of names. */
export function chooseHooks<Hook extends Named>(integrations: string, hooks: readonly Hook[]): Choice<Hook> {
  const names = integrations
    .split(',')
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '')
  const whole = names.length === 0 ? 'all' : wholes.find((name) => names.includes(name))
  if (whole !== undefined) {
    const rest = names.filter((name) => name !== whole)
    const problem =
      rest.length === 0 ? undefined : `integrations: ${whole} stands alone, so ${rest.join(', ')} is ignored`
    return { hooks: whole === 'all' ? hooks : [], isByName: false, problem }
  }
  const unknown = names.filter((name) => !hooks.some((hook) => namesOf(hook).includes(name)))
  return {
    hooks: hooks.filter((hook) => namesOf(hook).some((name) => names.includes(name))),
    isByName: true,
    problem: unknown.length === 0 ? undefined : tell(unknown, hooks),
  }
}

const wholes = ['all', 'none']

/** What measures those for which there is no hook. */
const byHand: Readonly<Record<string, string>> = {
  agenda: 'withCarbon of codecarbon',
  bree: 'withCarbon of codecarbon',
  langchain: 'CarbonCallbackHandler of codecarbon/langchain',
  piscina: 'withCarbon of codecarbon',
  vitest: 'the reporter codecarbon/vitest',
}

const namesOf = ({ name, alias }: Named): readonly string[] => (alias === undefined ? [name] : [name, alias])

function tell(unknown: readonly string[], hooks: readonly Named[]): string {
  const known = [...wholes, ...hooks.flatMap(namesOf)]
  const words = unknown.map((name) => {
    const means = Object.hasOwn(byHand, name) ? byHand[name] : undefined
    if (means !== undefined) return `"${name}", which ${means} measures`
    const closest = nearest(name, known)
    return closest === undefined ? `"${name}"` : `"${name}" (did you mean ${closest}?)`
  })
  return `integrations: there is no hook ${words.join(', ')}; there are ${known.join(', ')}`
}
