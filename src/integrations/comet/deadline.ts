import type { Clock } from '../../core/clock.ts'

/** Waits for work, and no longer than that. */
export async function within(work: Promise<unknown>, timeoutMs: number, clock: Clock): Promise<void> {
  let cancel = (): void => undefined
  const late = new Promise<void>((resolve) => {
    cancel = clock.after(timeoutMs, resolve)
  })
  await Promise.race([work, late])
  cancel()
}

/** Milliseconds that are left of a time that begins now, 1 at least: what no time is left for is still tried. */
export function countdown(timeoutMs: number, clock: Clock): () => number {
  const nowMs = (): number => clock.now().monotonic * 1000
  const endMs = nowMs() + timeoutMs
  return () => Math.max(1, endMs - nowMs())
}
