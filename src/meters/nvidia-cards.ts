import { readlinkSync } from 'node:fs'
import type { Options } from '../config/option-table.ts'
import type { Clock } from '../core/clock.ts'
import type { Problem } from '../core/problem.ts'
import { choosesNone } from '../gpu/select-gpus.ts'
import { refusalOf, sentenceOf, type Refusal } from '../probes/detector.ts'
import { createNvidiaProbe, type NvidiaProbe } from '../probes/nvidia.ts'
import { noCardsReason } from '../probes/nvml/nvml-probe.ts'
import { onBus, type Bus, type MakerCards } from './maker-cards.ts'
import { unmeasured } from './unmeasured.ts'

/**
 * NVIDIA's cards. Their library opens in the background; where the bus does not tell of them, it is the only one to ask.
 */
export function openNvidiaCards(
  options: Options,
  gpuIds: Options['gpuIds'],
  clock: Clock,
  bus: Bus,
): MakerCards {
  const { nvmlLibraryPath } = options
  const there = onBus(bus, 'NVIDIA')
  const problems: Problem[] = []
  const refused: Refusal[] = []
  let probe: NvidiaProbe | undefined
  try {
    probe = createNvidiaProbe({
      ...(gpuIds === undefined ? {} : { gpuIds }),
      ...(nvmlLibraryPath === undefined ? {} : { libraryPath: nvmlLibraryPath }),
      environment: process.env,
      clock,
    })
  } catch (error) {
    const refusal = refusalOf('nvml', error)
    refused.push(refusal)
    const isNamed = gpuIds !== undefined && gpuIds.length > 0
    if (there !== undefined && there > 0) problems.push(unmeasured('NVIDIA', refusal))
    else if (nvmlLibraryPath !== undefined || isNamed) {
      const subject = nvmlLibraryPath === undefined ? 'gpu_ids' : 'nvml_library_path'
      const message = `${nvmlLibraryPath === undefined ? 'gpu_ids: ' : ''}${sentenceOf(refusal)}`
      problems.push({ code: 'ERR_PROBE_UNAVAILABLE', subject, message })
    }
  }
  let isOpened = probe === undefined
  const opened = probe === undefined ? Promise.resolve() : probe.opened.then(() => void (isOpened = true))
  const isNoneChosen = choosesNone({ gpuIds, environment: process.env, vendor: 'nvidia' })
  /** Who names cards, or their library, has some, whatever the bus shows: in containers and virtual machines it may show none. */
  const isSaidToBe = nvmlLibraryPath !== undefined || (gpuIds !== undefined && !isNoneChosen)

  function count(): number | undefined {
    if (isNoneChosen) return 0
    const listed = probe?.listed()
    if (listed !== undefined && listed.installed > 0) return listed.counted
    if (!isOpened) return undefined
    // The library says that there is none.
    if (listed !== undefined) return there ?? 0
    if (there === 0) return isSaidToBe ? undefined : 0
    return gpuIds === undefined ? there : undefined
  }
  const knowsPids = seesPidsOfHost(options.procfsPath)

  return {
    probe,
    opened,
    problems,
    cards: () =>
      (probe?.devices() ?? []).map(({ index, name, uuid, method, unmeasured: why }) => ({
        index,
        name,
        id: uuid,
        method,
        how: method === undefined ? `unmeasured: ${why ?? 'no reason given'}` : `${method} by ${probe?.name}`,
      })),
    count,
    installed: () => Math.max(there ?? 0, probe?.listed()?.installed ?? 0),
    refused: () => [...refused, ...(probe?.refusals() ?? []).map((refusal) => withRemedy(refusal, there))],
    utilisation: () => probe?.utilisation(),
    processUse: () =>
      new Map(knowsPids ? probe?.processUse().map(({ domain, shares }) => [domain, shares]) : []),
  }
}

/** Cards that the bus shows and the library does not. */
const withRemedy = (refusal: Refusal, there: number | undefined): Refusal =>
  refusal.reason === noCardsReason && there !== undefined && there > 0
    ? { ...refusal, remedy: 'let this user, or the container, have /dev/nvidia* (docker run --gpus all)' }
    : refusal

/**
 * Whether processes have the numbers here that a driver knows them by: those of the host. The first process namespace of Linux has this
 * number (PROC_PID_INIT_INO in include/linux/proc_ns.h); a procfs that is mounted elsewhere is the host's.
 */
function seesPidsOfHost(procfsPath: string): boolean {
  if (process.platform !== 'linux' || procfsPath !== '/proc') return true
  try {
    return readlinkSync('/proc/self/ns/pid') === 'pid:[4026531836]'
  } catch {
    // Nobody can tell, and a wrong process is worse than none.
    return false
  }
}
