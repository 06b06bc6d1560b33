import type { ScopeLabels } from './work-scope.ts'

/** What programs give as names, labels and outcomes, whatever the types say. Never throws. */
export function textOf(given: unknown): string {
  try {
    return String(given)
  } catch {
    // An object whose own conversion throws, or that has none, as `req.query` of Express 5.
    return 'unknown'
  }
}

/** Labels that have a value, as texts. Never throws. */
export function labelsOf(given: unknown): ScopeLabels {
  if (typeof given !== 'object' || given === null) return {}
  try {
    return Object.fromEntries(
      Object.entries(given).flatMap(([name, value]) => (value == null ? [] : [[name, textOf(value)]])),
    )
  } catch {
    // One of them has a getter that throws.
    return {}
  }
}
