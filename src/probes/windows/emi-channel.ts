import type { Component, DomainKind } from '../../core/reading.ts'

/** Where a channel's energy belongs. */
export interface EmiPlace {
  /** As the same counter is called on Linux: `package-0`, `core-0`, `uncore-0`, `dram-0`, `psys-0`. */
  readonly domain: string
  readonly kind: DomainKind
  readonly component: Component
  /** The package that already holds it. */
  readonly parent?: string
}

/** RAPL domains by the last word of a channel's name. */
const places: Readonly<
  Record<string, { readonly name: string; readonly kind: DomainKind; readonly component: Component }>
> = {
  PKG: { name: 'package', kind: 'package', component: 'cpu' },
  PP0: { name: 'core', kind: 'core', component: 'cpu' },
  PP1: { name: 'uncore', kind: 'uncore', component: 'cpu' },
  DRAM: { name: 'dram', kind: 'dram', component: 'ram' },
  // Processors, memory and what is around them: shown, never added.
  PSYS: { name: 'psys', kind: 'psys', component: 'host' },
}

/**
 * The place of a channel of Windows' own processor driver: `RAPL_Package0_PKG`, and `_PP0`, `_PP1`, `_DRAM`, `_PSYS`. `undefined` for what is
 * not read: single cores (`RAPL_Package0_Core3_CORE`, which AMD has in a device for each), and the meters of a maker's own, such as the
 * rails of Surface and of Snapdragon machines, whose names do not tell what holds what.
 */
export function placeOfChannel(name: string): EmiPlace | undefined {
  const [, socket = '', word = ''] = /^RAPL_Package(\d+)_([A-Z0-9]+)$/i.exec(name) ?? []
  const place = places[word.toUpperCase()]
  if (place === undefined) return undefined
  const { kind, component } = place
  const isInside = kind === 'core' || kind === 'uncore'
  const domain = `${place.name}-${socket}`
  return { domain, kind, component, ...(isInside ? { parent: `package-${socket}` } : {}) }
}
