import { EnergyError, messageOf, ProbeUnavailable } from '../core/errors.ts'
import type { Probe } from '../core/probe.ts'
import type { Component, Method } from '../core/reading.ts'

/** A probe that may work here. Candidates are tried in order of preference. */
export interface Candidate {
  readonly probe: string
  readonly method: Method
  /** @throws ProbeUnavailable where it cannot work here */
  open(): OpenedProbe
}

/** A probe that works, and the components it covers. */
export interface OpenedProbe {
  readonly probe: Probe
  readonly components: readonly Component[]
  /** One sentence on what its figures stand on. Asked for only when it is told. */
  readonly basis: () => string
  /** Components whose energy another one's figure already holds, and which one. */
  readonly includedIn?: Partial<Record<Component, Component>>
}

/** Why a candidate was not taken, and what would change that. */
export interface Refusal {
  readonly probe: string
  readonly reason: string
  readonly remedy?: string
}

/** What was thrown where a probe was opened. Anything but a deliberate refusal is a bug, and still no reason to take the host program down. */
export function refusalOf(probe: string, error: unknown): Refusal {
  const reason = error instanceof EnergyError ? error.message : `it failed unexpectedly: ${messageOf(error)}`
  const remedy = error instanceof ProbeUnavailable ? error.remedy : undefined
  return { probe, reason, ...(remedy === undefined ? {} : { remedy }) }
}

/** Reason and remedy on one line. */
export const sentenceOf = ({ reason, remedy }: Omit<Refusal, 'probe'>): string =>
  (remedy === undefined ? reason : `${reason}; ${remedy}`).replaceAll(/\s*\n\s*/g, '; ')

/** The probe that tells a component. */
export interface Chosen {
  readonly probe: string
  readonly method: Method
  readonly basis: () => string
  /** Set where its energy is part of another component's figure. */
  readonly includedIn?: Component
}

/** What was found for one component. Without `chosen` it is unmeasured. */
export interface ComponentDetection {
  readonly component: Component
  readonly chosen?: Chosen
  readonly refused: readonly Refusal[]
}

/** Probes to read, and for each component which one tells it and why not a better one. */
export interface Detection {
  readonly probes: readonly Probe[]
  readonly components: readonly ComponentDetection[]
}

/** For each component, its candidates, best first. One probe may cover several components and is opened once. */
export type Candidates = readonly {
  readonly component: Component
  readonly candidates: readonly Candidate[]
}[]

/** Tries the candidates in order, and keeps the reason why each better one was refused. */
export function detect(list: Candidates): Detection {
  const attempts = new Map<Candidate, OpenedProbe | Refusal>()
  const probes = new Set<Probe>()
  const components: ComponentDetection[] = []

  for (const { component, candidates } of list) {
    const refused: Refusal[] = []
    let chosen: Chosen | undefined
    for (const candidate of candidates) {
      let attempt = attempts.get(candidate)
      if (attempt === undefined) {
        attempt = tryOpen(candidate)
        attempts.set(candidate, attempt)
      }
      if (!('components' in attempt)) {
        refused.push(attempt)
        continue
      }
      if (!attempt.components.includes(component)) {
        refused.push({ probe: candidate.probe, reason: `it has no counter for ${component} on this machine` })
        continue
      }
      const includedIn = attempt.includedIn?.[component]
      chosen = {
        probe: candidate.probe,
        method: candidate.method,
        basis: attempt.basis,
        ...(includedIn === undefined ? {} : { includedIn }),
      }
      probes.add(attempt.probe)
      break
    }
    components.push({ component, ...(chosen === undefined ? {} : { chosen }), refused })
  }
  for (const attempt of attempts.values()) {
    if ('components' in attempt && !probes.has(attempt.probe)) attempt.probe.close?.()
  }
  return { probes: [...probes], components }
}

function tryOpen(candidate: Candidate): OpenedProbe | Refusal {
  try {
    return candidate.open()
  } catch (error) {
    return refusalOf(candidate.probe, error)
  }
}
