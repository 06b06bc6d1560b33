import { systemClock, type Clock } from '../core/clock.ts'
import { messageOf, ProbeUnavailable } from '../core/errors.ts'
import { seconds, watts } from '../core/units.ts'
import { findProgram, runInBackground, type RunCommand } from './background-command.ts'
import { createPolledProbe, type PolledProbe, type PowerAnswer } from './polled-probe.ts'
import { parseAmdSmi, parseRocmSmi, type CardPower } from './rocm/parse-smi.ts'

/** Options of {@link createRocmSmiProbe}. */
export interface RocmSmiOptions {
  /** Which cards count, by the number that the program gives them. @default all */
  readonly select?: (index: number) => boolean
  /** Where the programs are looked for, as in PATH. @default PATH, then /opt/rocm/bin */
  readonly path?: string
  readonly run?: RunCommand
  readonly clock?: Clock
}

/** Both programs start an interpreter and take up to a second of processor time: at 10 s they cost a tenth of a processor at most. */
const every = seconds(10)
/** Twice the highest board power on the market, as for the driver's own monitor (amd-gpu.ts). */
const maxBoardPower = watts(2800)
const folders = ['/opt/rocm/bin']

/**
 * Graphics cards of AMD by `amd-smi`, else `rocm-smi`, every 10 s in the background, integrated: for where sysfs does not show the driver's
 * monitor, as in some containers. The second die of a board tells nothing and has no reading. These programs list the graphics of APUs like
 * cards, with the power of the processor in it: leave those out by `select`.
 *
 * @throws ProbeUnavailable where neither program is installed
 */
export function createRocmSmiProbe(options: RocmSmiOptions = {}): PolledProbe {
  const { select = () => true, run = runInBackground, clock = systemClock, path } = options
  const tool = tools
    .map((entry) => ({ ...entry, program: findProgram(entry.name, path === undefined ? folders : [], path) }))
    .find(({ program }) => program !== undefined)
  if (tool?.program === undefined) {
    throw new ProbeUnavailable(
      'neither amd-smi nor rocm-smi is installed',
      'sudo apt install amd-smi-lib   (from the repositories of ROCm)',
    )
  }
  const { program, args, parse } = tool
  return createPolledProbe({
    name: 'rocm-smi',
    component: 'gpu',
    kind: 'gpu',
    every,
    maxPower: maxBoardPower,
    neverIdle: false,
    clock,
    ask: (done) =>
      run(program, args, (output) => {
        done(output instanceof Error ? output : read(output, parse, select))
      }),
  })
}

const tools: readonly {
  readonly name: string
  readonly args: readonly string[]
  readonly parse: (output: string) => CardPower
}[] = [
  { name: 'amd-smi', args: ['metric', '--power', '--json'], parse: parseAmdSmi },
  { name: 'rocm-smi', args: ['--showpower', '--json'], parse: parseRocmSmi },
]

function read(
  output: string,
  parse: (output: string) => CardPower,
  select: (index: number) => boolean,
): PowerAnswer | Error {
  try {
    const cards = [...parse(output)].filter(([index]) => select(index))
    return new Map(cards.map(([index, power]) => [`amd-gpu-${index}`, power]))
  } catch (error) {
    return new Error(messageOf(error))
  }
}
