/** Where it stands in what Vitest sends from a worker with a file (https://vitest.dev/api/advanced/metadata). */
const key = 'codecarbon'

/** Notes in a file's metadata how many seconds of CPU time it has taken. */
export function noteCpuTime(meta: object, cpuSeconds: number): void {
  Object.assign(meta, { [key]: { cpuSeconds } })
}

/** How many it has taken, where that was noted. */
export function notedCpuTime(meta: object | undefined): number | undefined {
  const note: unknown = (meta as Record<string, unknown> | undefined)?.[key]
  const time: unknown = (note as { cpuSeconds?: unknown } | undefined)?.cpuSeconds
  return typeof time === 'number' && Number.isFinite(time) && time >= 0 ? time : undefined
}
