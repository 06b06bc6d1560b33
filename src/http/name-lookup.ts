import type { LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'

/** In which name servers have to say anything about a name, in milliseconds: a program that ends may have to wait for it. */
const patienceMs = 2000

/**
 * Looks up names so that a name server which keeps silent keeps no program for long. The system's own lookup (`getaddrinfo`) runs in a thread
 * that Node.js can neither break off nor leave behind, for 10 s and more. So the name servers are asked first in a way that can be broken off
 * (`dns.Resolver`), and what they say counts. The system has the last word about names that are in its own list or that name servers do not
 * know as they stand: those of search domains, of other name services, of this machine.
 *
 * `undefined` on macOS and Windows, where the system has ways to ask that `dns.Resolver` does not know, and takes the lookup itself.
 */
export function nameLookup(signal: AbortSignal): LookupFunction | undefined {
  if (process.platform === 'darwin' || process.platform === 'win32') return undefined
  return (...args) => {
    void lookUp(signal, ...args)
  }
}

async function lookUp(
  signal: AbortSignal,
  ...[name, options, callback]: Parameters<LookupFunction>
): Promise<void> {
  let addresses: LookupAddress[]
  try {
    addresses = await askNameServers(name, signal)
  } catch (error) {
    callback(error as NodeJS.ErrnoException, '')
    return
  }
  const [first] = addresses
  if (first === undefined) (await import('node:dns')).lookup(name, options, callback)
  else if (options.all === true) callback(null, addresses)
  else callback(null, first.address, first.family)
}

/** Addresses that name servers give; none where the system is to be asked. */
async function askNameServers(name: string, signal: AbortSignal): Promise<LookupAddress[]> {
  if (await isOfThisMachine(name)) return []
  // Loaded when it is first needed, which for most programs is never.
  const { Resolver } = await import('node:dns/promises')
  signal.throwIfAborted()
  // Each is asked again, and the next one as well, before patience is at its end.
  const resolver = new Resolver({ timeout: patienceMs / 8, tries: 4 })
  const cancel = (): void => {
    resolver.cancel()
  }
  const timer = setTimeout(cancel, patienceMs)
  signal.addEventListener('abort', cancel)
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
  clearTimeout(timer)
  signal.removeEventListener('abort', cancel)
  const addresses = answers.flatMap((answer, index) =>
    answer.status === 'rejected'
      ? []
      : answer.value.map((address) => ({ address, family: index === 0 ? 4 : 6 })),
  )
  if (addresses.length === 0 && answers.some(isSilence)) {
    throw Object.assign(new Error(`no name server answers about ${name}`), { code: 'ETIMEOUT' })
  }
  return addresses
}

const isSilence = (answer: PromiseSettledResult<unknown>): boolean =>
  answer.status === 'rejected' &&
  ['ETIMEOUT', 'ECANCELLED'].includes((answer.reason as NodeJS.ErrnoException).code ?? '')

/** Whether the system knows a name without asking anybody. */
async function isOfThisMachine(name: string): Promise<boolean> {
  if (/(?:^|\.)localhost\.?$/i.test(name)) return true
  const { readFile } = await import('node:fs/promises')
  try {
    const hosts = await readFile('/etc/hosts', 'utf8')
    const word = name.replaceAll('.', String.raw`\.`)
    return new RegExp(String.raw`^[^#\n]*\s${word}(?:\s|#|$)`, 'im').test(hosts)
  } catch {
    // There is no list.
    return false
  }
}
