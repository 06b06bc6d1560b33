/** Streams that nobody reads to their end never end: what gives no sign of life for so long is given up. */
export const silenceMs: number = 10 * 60_000
