import { existsSync } from 'node:fs'
import { systemClock, type Clock } from '../../core/clock.ts'
import { ProbeUnavailable } from '../../core/errors.ts'
import { exactly } from '../../core/estimate.ts'
import { Integrator } from '../../core/integrator.ts'
import type { Probe, ProbeResult } from '../../core/probe.ts'
import type { Problem } from '../../core/problem.ts'
import type { Component, DomainKind, Reading } from '../../core/reading.ts'
import { seconds, type Seconds, type Watts } from '../../core/units.ts'
import { powermetricsCommand, powermetricsPath, samplerSets, sudoPath } from './powermetrics-command.ts'
import { isUnknownSampler, refusalFrom } from './powermetrics-refusal.ts'
import { parsePowermetrics, type MacDomain } from './powermetrics-sample.ts'
import { PlistStream } from './plist-stream.ts'
import { runCommand, type RunCommand, type RunningCommand } from './run-command.ts'

/** Options of {@link createPowermetricsProbe}. */
export interface PowermetricsOptions {
  /** Name of the processor, `machdep.cpu.brand_string`, as `os.cpus()` gives it. */
  readonly brand: string
  /** Whether this process is root's. @default what the system says */
  readonly isRoot?: boolean
  /** Whether a program is there. @default what the file system says */
  readonly exists?: (path: string) => boolean
  /** @default the clocks of this machine */
  readonly clock?: Clock
  /** @default a child process */
  readonly run?: RunCommand
}

/** The probe, and what it will cover once it tells. */
export interface PowermetricsProbe extends Probe {
  readonly components: readonly Component[]
  /**
   * Settles when it is known whether the probe tells anything: with `undefined` at the first sample, with the reason where it never will,
   * or where it was closed before. Keeps nothing alive: who waits for it needs a timer.
   */
  readonly known: Promise<ProbeUnavailable | undefined>
}

/** Apple's largest machine has a power supply of 1280 W (Mac Pro 2019); no part of one draws this. */
const maxWatts = 1000
/** A window this long is one that the machine slept in: the tool wakes up every half second, however busy the machine. */
const longestWindowSeconds = 30
/** Processors that run draw power; other parts may be switched off. */
const neverIdle: readonly MacDomain[] = ['cpu', 'package-0']
const deadSeconds = 10
/** A child that says nothing for so long, over so many reads, is taken for stuck. Reads are counted, since a program may block its own. */
const silentSeconds = 5
const silentReads = 3
/** A child that is started says its first word within its interval; one that says none for so long is started again. */
const firstWordSeconds = 10
const firstRestartSeconds = 1
const lastRestartSeconds = 60
/** A tool that ended so often without having told anything will not tell anything. */
const maxFutileStarts = 4

/**
 * Power of a Mac's processor by one `powermetrics` that goes on running, at two samples a second. Its figures are Apple's own estimate
 * ("may be inaccurate", says its manual), integrated over its own windows; method `integrated`.
 *
 * Needs root, or a `sudo` that does not ask; never asks for a password. Asked off the start path, by running it: until the first sample
 * there is no reading, and where it may not be run one problem with the remedy.
 *
 * Apple silicon: `cpu`, `gpu` and `ane`, which are parts of the chip that do not overlap. The neural engine counts as `gpu`: it is an
 * accelerator that works for whoever gave it work, whatever CPU time that one uses. Intel: `package-0`, cores, integrated graphics and
 * system agent together. Readings are up to one sample late, at the end too. Not included: memory, SSD, screen, fans, a Radeon.
 *
 * Written after the manual and recorded output; has not been run on a Mac.
 *
 * @throws ProbeUnavailable where the tool, or a way to be root, is missing
 */
export function createPowermetricsProbe(options: PowermetricsOptions): PowermetricsProbe {
  const { brand, isRoot = process.getuid?.() === 0, exists = existsSync } = options
  const { clock = systemClock, run = runCommand } = options
  if (!exists(powermetricsPath)) throw new ProbeUnavailable(`there is no ${powermetricsPath}`)
  if (!isRoot && !exists(sudoPath)) throw new ProbeUnavailable('powermetrics may be run by root only')
  // Under Rosetta the processor calls itself VirtualApple.
  const isApple = /apple/i.test(brand)
  const domains = new Map<MacDomain, MacPart>()
  const notes: Problem[] = []
  let samplers: string = isApple ? samplerSets[0] : samplerSets[1]
  let child: RunningCommand | undefined
  let state: 'asking' | 'telling' | 'down' | 'refused' | 'closed' = 'asking'
  let cancelStart: (() => void) | undefined
  let cancelWatch: (() => void) | undefined
  let futileStarts = 0
  let restartSeconds = firstRestartSeconds
  let quietReads = 0
  let heardAt: Seconds | undefined
  let lastRead: Seconds | undefined
  let settle: (refusal?: ProbeUnavailable) => void = () => undefined
  const known = new Promise<ProbeUnavailable | undefined>((resolve) => {
    settle = resolve
  })

  function start(): void {
    const stream = new PlistStream()
    child = run(powermetricsCommand(samplers, isRoot), {
      onText(text) {
        for (const document of stream.push(text)) take(document)
      },
      onEnd,
    })
    cancelWatch = clock.after(firstWordSeconds * 1000, () => {
      restart(firstWordSeconds)
    })
  }

  /** Ends a child that says nothing, as if it had ended. */
  function restart(silence: number): void {
    if (child === undefined) return
    child.close()
    onEnd(`it told nothing for ${silence} s`)
  }

  function startIn(time: number): void {
    cancelStart = clock.after(time * 1000, start)
  }

  function onEnd(reason: string): void {
    child = undefined
    cancelWatch?.()
    const isFirst = state === 'asking'
    if (isFirst && isUnknownSampler(reason) && samplers !== samplerSets[1]) {
      samplers = samplerSets[1]
      startIn(0)
      return
    }
    futileStarts += 1
    const refusal = refusalFrom(reason, samplers)
    if (refusal !== undefined || (isFirst && futileStarts >= maxFutileStarts)) {
      refuse(refusal ?? new ProbeUnavailable(`powermetrics tells nothing: ${reason}`))
      return
    }
    // Told when it is started again, not at once: whoever presses Ctrl-C ends it and us together.
    cancelStart = clock.after(restartSeconds * 1000, () => {
      if (state === 'telling') {
        const message = `powermetrics ended (${reason}); it is started again, and what is used until then is not in its figures`
        notes.push({ code: 'ERR_PROBE_GONE', subject: 'powermetrics', message })
        state = 'down'
      }
      start()
    })
    restartSeconds = Math.min(lastRestartSeconds, restartSeconds * 2)
  }

  function refuse(refusal: ProbeUnavailable): void {
    const { message, remedy } = refusal
    const advice = remedy === undefined ? '' : `; ${remedy}`
    notes.push({ code: 'ERR_PROBE_UNAVAILABLE', subject: 'powermetrics', message: `${message}${advice}` })
    state = 'refused'
    settle(refusal)
  }

  function take(document: string): void {
    if (state === 'closed') return
    const sample = parsePowermetrics(document)
    if (sample === undefined) {
      const message = 'powermetrics wrote what is not understood; that sample is left out'
      notes.push({ code: 'ERR_PROBE_READ', subject: 'powermetrics', message })
      return
    }
    cancelWatch?.()
    const now = clock.now().monotonic
    const began = now - sample.elapsed
    if (state === 'down' && heardAt !== undefined) noteGap(seconds(Math.max(0, began - heardAt)))
    if (sample.elapsed > longestWindowSeconds) noteSleep(sample.elapsed)
    else for (const [domain, power] of sample.powers) partOf(domain).take(power, sample.elapsed, notes)
    state = 'telling'
    futileStarts = 0
    restartSeconds = firstRestartSeconds
    quietReads = 0
    heardAt = now
    settle()
  }

  function noteGap(gap: Seconds): void {
    const message = `powermetrics tells again, after ${gap.toFixed(0)} s that are not in its figures`
    notes.push({ code: 'ERR_COUNTER_GAP', subject: 'powermetrics', message, gap })
  }

  function noteSleep(gap: Seconds): void {
    const message = `the machine slept: a sample of powermetrics spans ${gap.toFixed(0)} s, and is not counted`
    notes.push({ code: 'ERR_COUNTER_GAP', subject: 'powermetrics', message, gap })
  }

  function partOf(domain: MacDomain): MacPart {
    let part = domains.get(domain)
    if (part === undefined) {
      part = new MacPart(domain)
      domains.set(domain, part)
    }
    return part
  }

  /** True where a child that lives has told nothing for long. */
  function isStuck(at: Seconds): boolean {
    quietReads += 1
    return quietReads > silentReads && at - (heardAt ?? at) > silentSeconds
  }

  startIn(0)
  return {
    name: 'powermetrics',
    components: isApple ? ['cpu', 'gpu'] : ['cpu'],
    known,
    read({ at }): ProbeResult {
      const gap = seconds(at - (lastRead ?? at))
      lastRead = at
      if (state === 'closed') return { readings: [], problems: [] }
      const problems = notes.splice(0)
      if (state !== 'telling') return { readings: [], problems }
      if (isStuck(at)) {
        const message = `powermetrics has told nothing for more than ${silentSeconds} s`
        problems.push({ code: 'ERR_PROBE_READ', subject: 'powermetrics', message, gap })
        restart(silentSeconds)
        return { readings: [], problems }
      }
      return { readings: [...domains.values()].flatMap((part) => part.reading() ?? []), problems }
    },
    close() {
      if (state === 'closed') return
      const wasAsking = state === 'asking'
      state = 'closed'
      cancelStart?.()
      cancelWatch?.()
      child?.close()
      if (wasAsking) settle(new ProbeUnavailable('it was closed before powermetrics told anything'))
    },
  }
}

const placeOf: Readonly<Record<MacDomain, { readonly kind: DomainKind; readonly component: Component }>> = {
  cpu: { kind: 'cpu', component: 'cpu' },
  gpu: { kind: 'gpu', component: 'gpu' },
  ane: { kind: 'other', component: 'gpu' },
  'package-0': { kind: 'package', component: 'cpu' },
}

/** One part of the chip, and its energy. */
class MacPart {
  readonly #domain: MacDomain
  readonly #energy = new Integrator()
  #isGood = true
  #zeroFor = 0

  constructor(domain: MacDomain) {
    this.#domain = domain
  }

  take(power: Watts, elapsed: Seconds, notes: Problem[]): void {
    this.#zeroFor = power === 0 ? this.#zeroFor + elapsed : 0
    const isPossible = Number.isFinite(power) && power >= 0 && power <= maxWatts
    const isDead = neverIdle.includes(this.#domain) && this.#zeroFor >= deadSeconds
    this.#isGood = isPossible && !isDead
    if (isPossible && !isDead) {
      this.#energy.hold(exactly(power), elapsed)
      return
    }
    const said = isPossible ? `0 W for ${this.#zeroFor.toFixed(0)} s` : `${power} W`
    const message = `${this.#domain}: powermetrics says ${said}, which cannot be; it is not counted`
    notes.push({ code: 'ERR_PROBE_READ', subject: this.#domain, message, gap: elapsed })
  }

  /** `undefined` after a sample that cannot be. */
  reading(): Reading | undefined {
    if (!this.#isGood) return undefined
    const { value, low, high } = this.#energy.energy
    return {
      domain: this.#domain,
      ...placeOf[this.#domain],
      method: 'integrated',
      probe: 'powermetrics',
      energy: value,
      low,
      high,
    }
  }
}
