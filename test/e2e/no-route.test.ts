import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cliPath, startChild, type Ended } from '../fixtures/programs/child.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'

/** Everybody is asked who can be. */
const asksAll = {
  CODECARBON_LOCATE_BY: 'environment,cloud,time-zone,ip',
  CODECARBON_ELECTRICITYMAPS_API_TOKEN: 'x',
  TZ: 'Europe/Paris',
}

/** Root needs no user of its own for a namespace, which some systems forbid. */
const flags = process.geteuid?.() === 0 ? '-nm' : '-rnm'

/**
 * A network whose only way leads to the loopback interface. That is no router, so Linux drops what comes there for other machines without a
 * word (`ip_error` in net/ipv4/route.c), name server and all. Needs no module of the kernel, as an interface of the type dummy does.
 */
const blackHole = `
ip link set lo up && ip addr add 192.0.2.1/32 dev lo && ip route add default dev lo src 192.0.2.1 &&
file=$(mktemp) && echo nameserver 192.0.2.53 > "$file" && mount --bind "$file" /etc/resolv.conf && rm "$file" && exec "$@"`

const networks = {
  'no route': ['sh', '-c', 'exec "$@"', 'sh'],
  'a route into nowhere': ['sh', '-c', blackHole, 'sh'],
} as const

/** Whether such a network can be made, and a command run in it. */
const isPossible = (network: keyof typeof networks): boolean =>
  process.platform === 'linux' && spawnSync('unshare', [flags, ...networks[network], 'true']).status === 0

interface Run extends Ended {
  readonly summary: Summary
  readonly seconds: number
}

interface Summary {
  readonly exit_code: number
  readonly energy_kwh: number
  readonly emissions: { readonly kg: number }
  readonly intensity: {
    readonly year: number | null
    readonly source: string
    readonly grams_per_kwh: number
  }
  readonly place: { readonly country_iso_code: string | null }
  readonly problems: readonly { readonly code: string; readonly subject: string; readonly message: string }[]
}

/** Tracks a command that does nothing for so long. */
async function track(
  commandSeconds: number,
  env: Readonly<Record<string, string>>,
  wrapper: readonly string[] = [],
): Promise<Run> {
  const folder = temporaryFolder()
  const idle = [process.execPath, '-e', `setTimeout(() => undefined, ${commandSeconds * 1000})`]
  const [program = '', ...args] = [
    ...[...wrapper, process.execPath, cliPath],
    ...['run', '--summary-file', 'summary.json', '--', ...idle],
  ]
  const begin = performance.now()
  const ended = await startChild(program, args, { folder, env, input: '' }).ended
  const seconds = (performance.now() - begin) / 1000
  const summary = JSON.parse(readFileSync(join(folder, 'summary.json'), 'utf8')) as Summary
  return { ...ended, summary, seconds }
}

/** The shorter of two: the machine may have been busy with something else. */
async function trackTwice(...how: Parameters<typeof track>): Promise<Run> {
  const [one, other] = [await track(...how), await track(...how)]
  return one.seconds < other.seconds ? one : other
}

/** Lookups of names hang for 10 s and connections for 2 min; a run differs by a tenth of a second from another. */
const mostSecondsMore = 1

describe.each([
  // The name server has 2 s, after the 1 s that a cloud has.
  { network: 'no route', commandSeconds: 1, why: /cannot be reached/ },
  {
    network: 'a route into nowhere',
    commandSeconds: 4,
    why: /cannot be reached: no name server answers \(DNS\)/,
  },
] as const)('a run with $network', ({ network, commandSeconds, why }) => {
  const isRun = isPossible(network)
  if (!isRun) {
    console.log(
      `Skipped: a run with ${network}. It needs Linux, unshare, mount${network === 'no route' ? '' : ', ip'} and the right to use them.`,
    )
  }

  it.runIf(isRun)(
    'is complete, says why there is no live figure, and is no slower than one offline',
    async () => {
      const offline = await trackTwice(commandSeconds, { ...asksAll, CODECARBON_OFFLINE: 'true' })
      const run = await trackTwice(commandSeconds, asksAll, ['unshare', flags, ...networks[network]])
      console.log(`${network}: ${run.seconds.toFixed(2)} s, offline ${offline.seconds.toFixed(2)} s`)
      expect(run).toMatchObject({ code: 0, signal: null, stdout: '' })
      const { summary } = run
      expect(summary).toMatchObject({
        exit_code: 0,
        intensity: {
          year: expect.any(Number) as number,
          source: offline.summary.intensity.source,
          grams_per_kwh: offline.summary.intensity.grams_per_kwh,
        },
        place: offline.summary.place,
      })
      expect(summary.place.country_iso_code).not.toBeNull()
      expect(summary.energy_kwh).toBeGreaterThan(0)
      expect(summary.emissions.kg).toBeGreaterThan(0)
      expect(summary.problems).toContainEqual(
        expect.objectContaining({
          code: 'ERR_INTENSITY_UNAVAILABLE',
          message: expect.stringMatching(why) as string,
        }),
      )
      expect(run.seconds - offline.seconds).toBeLessThan(mostSecondsMore)
    },
  )

  it.runIf(isRun)('ends with a command that is over at once', async () => {
    const offline = await trackTwice(0, { ...asksAll, CODECARBON_OFFLINE: 'true' })
    const run = await trackTwice(0, asksAll, ['unshare', flags, ...networks[network]])
    console.log(`${network}: ${run.seconds.toFixed(2)} s, offline ${offline.seconds.toFixed(2)} s`)
    expect(run).toMatchObject({
      code: 0,
      summary: { exit_code: 0, intensity: { year: expect.any(Number) as number } },
    })
    expect(run.seconds - offline.seconds).toBeLessThan(mostSecondsMore)
  })
})
