import type { Command } from 'commander'
import type { Options } from '../config/option-table.ts'
import { systemClock } from '../core/clock.ts'
import { messageOf } from '../core/errors.ts'
import type { Probe, ProbeResult, ReadContext } from '../core/probe.ts'
import type { Problem } from '../core/problem.ts'
import type { Reading } from '../core/reading.ts'
import type { Refusal } from '../probes/detector.ts'
import type { Log } from '../log.ts'
import { toKilograms, toYears } from '../core/units.ts'
import type { Gpus } from '../meters/gpus.ts'
import { adviceFor, beyondAdvice } from '../report.ts'
import { createRunGrid } from '../run-grid.ts'
import { surveyMachine, type Survey } from '../survey.ts'
import { addOptions, optionsFrom } from './options.ts'

/** `codecarbon detect`: what can be measured here, what not and why, and what would help. */
export function addDetect(program: Command): void {
  const command = program
    .command('detect')
    .description('show what can be measured on this machine, what is estimated and why, and where it is')
    .option('--json', 'print JSON')
  addOptions(command, ['place', 'carbon', 'hardware', 'log', 'offline'])
  command.action(async (flags: Record<string, unknown>) => {
    const { options, origins, log } = optionsFrom(flags)
    const found = surveyMachine(options, origins)
    await untilOpened(found)
    const { problems, hosts } = readOnce(found)
    for (const probe of found.detection.probes) probe.close?.()
    const survey = await withGrid({ ...found, problems: [...found.problems, ...problems] }, options, log)
    const text =
      flags['json'] === true
        ? `${JSON.stringify(toJson(survey, hosts), undefined, 2)}\n`
        : toText(survey, hosts)
    process.stdout.write(text)
  })
}

/** Libraries of graphics cards open in the background, and may hang with their driver; a controller is asked several questions. */
const mostOpeningMs = 15_000

function untilOpened({ gpus, host }: Survey): Promise<unknown> {
  return new Promise((resolve) => {
    // It also keeps the process alive, which what is waited for does not.
    const timer = setTimeout(resolve, mostOpeningMs)
    void Promise.all([gpus.opened, host?.opened]).then(() => {
      clearTimeout(timer)
      resolve(undefined)
    })
  })
}

/** What probes have to say that open in the background, and the meters of the whole machine. */
function readOnce({ detection }: Survey): {
  readonly problems: readonly Problem[]
  readonly hosts: readonly Reading[]
} {
  const context = { at: systemClock.now().monotonic, resumed: false }
  const results = detection.probes.map((probe) => tryToRead(probe, context))
  const readings = results.flatMap((result) => result.readings)
  return {
    problems: results.flatMap((result) => result.problems),
    hosts: readings.filter(({ component, parent }) => component === 'host' && parent === undefined),
  }
}

function tryToRead(probe: Probe, context: ReadContext): ProbeResult {
  try {
    return probe.read(context)
  } catch (error) {
    const problem = { code: 'ERR_PROBE_READ', subject: probe.name, message: messageOf(error) } as const
    return { readings: [], problems: [problem] }
  }
}

/** The same with the place that was found, and the carbon intensity of the moment where the options name a service for it. */
async function withGrid(survey: Survey, options: Options, log: Log): Promise<Survey> {
  const problems = [...survey.problems]
  const onProblem = (problem: Problem): void => {
    problems.push(problem)
  }
  const grid = createRunGrid({ options, survey, clock: systemClock, log, onProblem })
  // What runs in the background keeps no program alive; this one has nothing else to wait for.
  const alive = setInterval(() => undefined, 60_000)
  await grid.settled()
  clearInterval(alive)
  const [place, intensity] = [grid.place(), grid.record()]
  grid.close()
  return { ...survey, place, intensity, problems }
}

function toJson(survey: Survey, hosts: readonly Reading[]): object {
  const { machine, detection, gpus, place, intensity } = survey
  return {
    components: [
      ...detection.components.map(({ component, chosen, refused }) => ({
        component,
        chosen:
          chosen === undefined ? null : { probe: chosen.probe, method: chosen.method, basis: chosen.basis() },
        refused: refused.map(toRefusal),
      })),
    ],
    cpu: {
      model: machine.cpu.modelName ?? null,
      logical_cpus: machine.cpu.logicalCpus,
      sockets: machine.cpu.sockets ?? null,
      virtual: machine.cpu.isVirtual,
      part: survey.cpuModel().part?.name ?? null,
      tdp_watts: survey.cpuModel().tdpWatts,
      basis: survey.cpuModel().basis,
    },
    memory_bytes: machine.memoryBytes ?? null,
    hosts: hosts.map(({ domain, probe, method }) => ({
      domain,
      probe,
      method,
      power_watts: survey.host?.power() ?? null,
      basis: survey.host?.basis() ?? null,
    })),
    hosts_refused: (survey.host?.refused() ?? []).map(toRefusal),
    gpus: gpus.cards().map(({ index, name, id, how }) => ({ index, name, id, how })),
    place: {
      country_iso_code: place.countryIsoCode ?? null,
      region: place.region ?? null,
      cloud_provider: place.cloudProvider ?? null,
      cloud_region: place.cloudRegion ?? null,
      found_by: place.foundBy,
      told_by: place.toldBy ?? null,
    },
    intensity: {
      grams_per_kwh: intensity.gramsPerKwh,
      scope: intensity.scope,
      source: intensity.source,
      year: intensity.year ?? null,
      basis: intensity.basis,
      quality: intensity.quality,
      observed_at:
        intensity.observedAtMs === undefined ? null : new Date(intensity.observedAtMs).toISOString(),
    },
    embodied: embodiedJson(survey.embodied()),
    problems: survey.problems.map(({ code, subject, message }) => ({ code, subject, message })),
  }
}

const toRefusal = ({ probe, reason, remedy }: Refusal): object => ({ probe, reason, remedy: remedy ?? null })

function embodiedJson(embodied: ReturnType<Survey['embodied']>): object | null {
  if (embodied === undefined) return null
  const { reserved, lifespan, basis, source } = embodied
  return {
    reserved_kg: toKilograms(reserved.value),
    low: toKilograms(reserved.low),
    high: toKilograms(reserved.high),
    lifespan_years: toYears(lifespan),
    basis,
    source,
  }
}

function describeGpus(gpus: Gpus): string {
  const [count, installed] = [gpus.count(), gpus.installed()]
  if (count === 0) return installed === 0 ? 'none found' : `${installed} found, none chosen`
  return gpus.model() ?? (installed === 0 ? 'unknown' : `${installed} found, none of them measured`)
}

function toText(survey: Survey, hosts: readonly Reading[]): string {
  const { machine, detection, gpus, place, intensity } = survey
  const embodied = survey.embodied()
  const lines = [
    `System      ${machine.os}`,
    `Processor   ${machine.cpu.modelName ?? 'unknown'}, ${machine.cpu.logicalCpus} logical CPUs${machine.cpu.isVirtual ? ', virtual machine' : ''}`,
    `Model       ${survey.cpuModel().basis}`,
    `GPU         ${describeGpus(gpus)}`,
    ...gpus.cards().map(({ index, name, id }) => `${''.padEnd(12)}${index}: ${name}, ${id}`),
    '',
  ]
  for (const { component, chosen, refused } of detection.components) {
    const how = chosen === undefined ? 'unmeasured' : `${chosen.method} by ${chosen.probe}: ${chosen.basis()}`
    lines.push(`${component.padEnd(12)}${how}`)
    for (const { probe, reason } of refused) lines.push(`${''.padEnd(12)}not ${probe}: ${reason}`)
  }
  for (const { domain, probe, method } of hosts) {
    const power = survey.host?.power()
    const now = power === undefined ? '' : `, ${Number(power.toPrecision(4))} W now`
    const what = survey.host?.basis() ?? domain
    lines.push(`${'host'.padEnd(12)}${method} by ${probe}: ${what}${now}, shown beside the parts`)
  }
  const refusedHosts = survey.host?.refused() ?? []
  if (hosts.length === 0 && refusedHosts.length > 0) lines.push(`${'host'.padEnd(12)}unmeasured`)
  for (const { probe, reason } of refusedHosts) lines.push(`${''.padEnd(12)}not ${probe}: ${reason}`)
  const where = place.countryName ?? place.countryIsoCode ?? 'unknown'
  const when =
    intensity.observedAtMs === undefined
      ? String(intensity.year ?? '')
      : new Date(intensity.observedAtMs).toISOString()
  const basis = intensity.basis === 'unknown' ? '' : intensity.basis
  const of = intensity.scope === 'world' ? 'world average' : ''
  const from = [of, when, basis, intensity.source].filter(Boolean).join(', ')
  lines.push(
    '',
    `Place       ${[where, place.region, place.cloudProvider, place.cloudRegion].filter(Boolean).join(', ')} (found by: ${[place.foundBy, place.toldBy].filter(Boolean).join(', ')})`,
    `Intensity   ${intensity.gramsPerKwh} gCO2eq/kWh, ${from}`,
    `Embodied    ${embodied === undefined ? 'unknown: give --embodied-emissions-kg' : `${embodied.basis}: ${embodied.source}`}`,
  )
  const advice = adviceFor(survey, survey.place, survey.intensity.scope).filter(
    (line) => !line.endsWith('run codecarbon detect'),
  )
  for (const { message } of beyondAdvice(survey.problems, advice)) lines.push(`Warning     ${message}`)
  if (advice.length > 0) lines.push('', 'For better figures', ...advice.map((line) => `  ${line}`))
  return `${lines.join('\n')}\n`
}
