import type { Clock } from '../core/clock.ts'
import type { HostReporter, HostSeries } from '../core/host-share.ts'
import type { Problem } from '../core/problem.ts'
import { takeSeatOfMachine } from './machine-seat.ts'
import type { Seat, SeatOptions } from './seat.ts'

/** Who reports for a machine, and who is told of it. */
export interface HostReporterOptions {
  /** `auto`: one of all that are asked; `always` and `never` as they say. */
  readonly mode: 'auto' | 'always' | 'never'
  /** Runs of one group choose one among them. */
  readonly group: string
  /** What the run would tell, that which matters most before the others. */
  readonly series: readonly HostSeries[]
  readonly clock: Clock
  /** Called when it is another one's turn. */
  readonly onChange: () => void
  readonly onNotice: (message: string) => void
  readonly onProblem: (problem: Problem) => void
  /** @default that of this machine: a name that the kernel keeps, or a lock file where there is none */
  readonly takeSeat?: (options: SeatOptions) => Seat
}

/**
 * Chooses one run of this machine to tell the series of the whole machine: the first that asks, and when it ends, however it does, one of those that wait. A
 * run that reports always takes the seat too where it is free, so that others leave it to that one.
 */
export function createHostReporter(options: HostReporterOptions): HostReporter {
  const { mode, group, series, clock, onChange, onNotice, onProblem, takeSeat = takeSeatOfMachine } = options
  if (mode === 'never') return { reports: () => false, close: () => undefined }
  // Who has the first is to have the others, and one line in the log is enough.
  const [main] = series
  const seats = new Map<HostSeries, Seat>()
  for (const one of series) {
    const isTold = one === main && mode === 'auto'
    const seat = takeSeat({
      name: seatName(one, group),
      clock,
      goesFirst: one === main ? undefined : () => main !== undefined && seats.get(main)?.isOurs === true,
      onChange() {
        if (mode !== 'auto') return
        if (isTold && seats.get(one)?.isOurs === true) onNotice(takenOver)
        onChange()
      },
      onHolder(pid) {
        if (isTold) onNotice(leftTo(pid))
      },
      onUnusable(reason) {
        if (isTold) onProblem(unknownReporter(reason))
      },
    })
    seats.set(one, seat)
  }
  return {
    reports: (one) => mode === 'always' || seats.get(one)?.isOurs === true,
    close() {
      for (const seat of seats.values()) seat.close()
    },
  }
}

/** A longer name of a group would not fit into that of a socket: its digest takes its place. */
const mostOfGroup = 64

function seatName(series: HostSeries, group: string): string {
  const plain = encodeURIComponent(group)
  const short =
    plain.length <= mostOfGroup
      ? plain
      : process.getBuiltinModule('node:crypto').createHash('sha256').update(group).digest('hex')
  return `codecarbon-reporter-${series}-${short}`
}

const takenOver =
  'host reporter: this run tells the series of the whole machine from now on, since the one that did has ended'

const leftTo = (pid: number): string =>
  `host reporter: process ${pid === process.pid ? `${pid}, this one,` : pid} tells the series of the whole machine already, so this run leaves them out of its metrics; files and reports have them all (host_reporter=always tells them here too)`

const unknownReporter = (reason: string): Problem => ({
  code: 'ERR_REPORTER_UNKNOWN',
  subject: 'host reporter',
  message: `host reporter: whether another run tells the series of this machine cannot be found out (${reason}), so this run does; host_reporter=never leaves them out`,
})
