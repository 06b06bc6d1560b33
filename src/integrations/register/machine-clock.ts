import { seconds, type Seconds } from '../../core/units.ts'

/**
 * A clock that never goes back, and is the same in all processes and threads of a machine: libuv reads that of the system, which counts from its start
 * (`CLOCK_MONOTONIC`, `mach_continuous_time`, `QueryPerformanceCounter`; `src/unix/linux.c`, `src/unix/darwin.c` and `src/win/util.c` of libuv).
 */
export const machineClock = (): Seconds => seconds(Number(process.hrtime.bigint()) / 1e9)

/** The time since a moment of this clock that another process told; `undefined` where its clock was another. */
export function sinceMachineClock(begunAt: number | undefined): Seconds | undefined {
  if (begunAt === undefined) return undefined
  const passed = machineClock() - begunAt
  return passed >= 0 ? seconds(passed) : undefined
}
