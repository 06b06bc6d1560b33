import type { Seconds } from '../core/units.ts'
import type { TaskPoint } from './task-points.ts'

/** What a measurement adds to the histograms. */
export const tickPoint = (took: Seconds): TaskPoint => durationPoint('tickDuration', took)

/** What a scrape adds to them. */
export const scrapePoint = (took: Seconds): TaskPoint => durationPoint('scrapeDuration', took)

const durationPoint = (metric: 'tickDuration' | 'scrapeDuration', took: Seconds): TaskPoint => ({
  observations: [{ metric, value: took, attributes: {} }],
})
