import { nearest } from '../../config/nearest.ts'

/** What `integrations` asks for. */
export interface Choice<Hook> {
  readonly hooks: readonly Hook[]
  /** They were asked for by name. */
  readonly isByName: boolean
  /** What is wrong with it, in one sentence. */
  readonly problem?: string | undefined
}

/** The hooks that `integrations` names: `all`, `none`, or a list of names. */
export function chooseHooks<Hook extends { readonly name: string }>(
  integrations: string,
  hooks: readonly Hook[],
): Choice<Hook> {
  const names = integrations
    .split(',')
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '')
  if (names.length === 0 || names.includes('all')) return { hooks, isByName: false }
  if (names.includes('none')) return { hooks: [], isByName: false }
  const unknown = names.filter((name) => !hooks.some((hook) => hook.name === name))
  return {
    hooks: hooks.filter(({ name }) => names.includes(name)),
    isByName: true,
    problem: unknown.length === 0 ? undefined : tell(unknown, hooks),
  }
}

function tell(unknown: readonly string[], hooks: readonly { readonly name: string }[]): string {
  const known = ['all', 'none', ...hooks.map(({ name }) => name)]
  const words = unknown.map((name) => {
    const closest = nearest(name, known)
    return closest === undefined ? `"${name}"` : `"${name}" (did you mean ${closest}?)`
  })
  return `integrations: there is no hook ${words.join(', ')}; there are ${known.join(', ')}`
}
