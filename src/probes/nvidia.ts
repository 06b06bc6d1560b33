import { ProbeUnavailable } from '../core/errors.ts'
import type { Probe } from '../core/probe.ts'
import type { Problem } from '../core/problem.ts'
import type { Ratio } from '../core/units.ts'
import { refusalOf, sentenceOf, type Refusal } from './detector.ts'
import type { GpuDevice, ListedGpus } from './gpu-device.ts'
import {
  createNvidiaSmiProbe,
  type NvidiaSmiOptions,
  type NvidiaSmiProbe,
} from './nvidia-smi/nvidia-smi-probe.ts'
import { createNvmlProbe, type NvmlOptions, type NvmlProbe } from './nvml/nvml-probe.ts'
import type { GpuProcessUse } from './nvml/process-use.ts'

/** Options of {@link createNvidiaProbe}: those of both ways. */
export type NvidiaOptions = NvmlOptions & NvidiaSmiOptions

/** NVIDIA's cards, by whichever way works. */
export interface NvidiaProbe extends Probe {
  /** Settles when the way is found; never rejects. It keeps no process alive: who waits for it needs a timer of his own. */
  readonly opened: Promise<void>
  /** Why the better way, or either, gives no readings. */
  refusals(): readonly Refusal[]
  /** `undefined` until the cards were listed. */
  listed(): ListedGpus | undefined
  /** The cards that count and say who they are. */
  devices(): readonly GpuDevice[]
  /** How busy they were when they were last read, in the mean; `undefined` where none tells. */
  utilisation(): Ratio | undefined
  /** Whose work each of them did since this was last asked; none where the way does not tell. */
  processUse(): readonly GpuProcessUse[]
}

/**
 * NVIDIA's graphics cards: by their library, and where that cannot be called at all, by the program `nvidia-smi`. Whether the library can be
 * called may turn out only when it is loaded, after this returned. A driver that is down is waited for: the program would fail as well.
 *
 * @throws ProbeUnavailable where there is neither
 */
export function createNvidiaProbe(options: NvidiaOptions = {}): NvidiaProbe {
  let closed = false
  let smi: NvidiaSmiProbe | undefined
  let nvml: NvmlProbe | undefined
  const refused: Refusal[] = []
  /** A library that the user named and that is not used is told, also where the program stands in for it. */
  const problems: Problem[] = []

  function changeOver(refusal: Refusal): void {
    refused.push(refusal)
    if (options.libraryPath === undefined) return
    const reason = `${refusal.reason}; the program nvidia-smi is read instead`
    const message = sentenceOf({ ...refusal, reason })
    problems.push({ code: 'ERR_PROBE_UNAVAILABLE', subject: 'nvml_library_path', message })
  }

  try {
    nvml = createNvmlProbe(options)
  } catch (error) {
    if (!(error instanceof ProbeUnavailable)) throw error
    smi = orJoined(error, () => createNvidiaSmiProbe(options))
    changeOver(refusalOf('nvml', error))
  }

  /** Changes over to the program, where the library turned out to be of no use. */
  async function settle(library: NvmlProbe): Promise<void> {
    await library.opened
    const refusal = library.refusal()
    if (closed || refusal?.isFinal !== true) return
    try {
      smi = createNvidiaSmiProbe(options)
    } catch (error) {
      // Nobody waits for this in a run: whatever goes wrong is told as a refusal.
      refused.push(refusalOf('nvidia-smi', error))
      return
    }
    changeOver(refusal)
    library.close?.()
    nvml = undefined
  }

  return {
    get name() {
      return smi === undefined ? 'nvml' : 'nvidia-smi'
    },
    opened: nvml === undefined ? Promise.resolve() : settle(nvml),
    refusals() {
      const refusal = nvml?.refusal()
      return refusal === undefined ? refused : [refusal, ...refused]
    },
    listed: () => (smi ?? nvml)?.listed(),
    read(context) {
      const told = (smi ?? nvml)?.read(context) ?? { readings: [], problems: [] }
      return problems.length === 0 ? told : { ...told, problems: [...problems.splice(0), ...told.problems] }
    },
    devices: () => (smi ?? nvml)?.devices() ?? [],
    utilisation: () => (smi ?? nvml)?.utilisation(),
    processUse: () => nvml?.processUse() ?? [],
    close() {
      closed = true
      nvml?.close?.()
      smi?.close?.()
    },
  }
}

/** What the other way opens; where it cannot, both reasons. */
function orJoined<T>(first: ProbeUnavailable, open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (!(error instanceof ProbeUnavailable)) throw error
    throw new ProbeUnavailable(`${first.message}; ${error.message}`, first.remedy ?? error.remedy)
  }
}
