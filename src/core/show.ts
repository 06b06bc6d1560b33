/** A value as it stands in a message. */
export function show(given: unknown): string {
  if (typeof given === 'string')
    return JSON.stringify(maskAddress(given.length > 100 ? `${given.slice(0, 100)}…` : given))
  if (typeof given === 'number' || typeof given === 'boolean') return String(given)
  if (given === null || given instanceof RegExp) return String(given)
  return Array.isArray(given) ? JSON.stringify(given) : typeof given
}

/** An address without the name and password that may stand in it. */
export const maskAddress = (text: string): string => text.replace(/(\/\/)[^/@\s]*@/g, '$1***@')
