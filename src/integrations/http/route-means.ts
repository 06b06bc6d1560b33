import type { ScopeRecord, WorkScope } from '../../scopes/work-scope.ts'

/** Requests of one route are looked at so often at most, since somebody has to wait for the measurement. Milliseconds. */
const betweenSamples = 1000
/** A mean follows the latest so many samples, about. */
const memory = 50

interface RouteMean {
  grams: number
  samples: number
  isWaiting: boolean
  nextAt: number
}

/** Mean emissions of the requests of each route, of samples, since those of a request are known after its response only. */
export class RouteMeans {
  readonly #means = new Map<string, RouteMean>()

  /** In grams of CO2 equivalents; `undefined` before there is one. */
  of(name: string): number | undefined {
    const mean = this.#means.get(name)
    return mean === undefined || mean.samples === 0 ? undefined : mean.grams
  }

  /** Is told of each request that ends. */
  sample(name: string, scope: WorkScope): void {
    let mean = this.#means.get(name)
    if (mean === undefined)
      this.#means.set(name, (mean = { grams: 0, samples: 0, isWaiting: false, nextAt: 0 }))
    const now = performance.now()
    if (mean.isWaiting || now < mean.nextAt) return
    mean.isWaiting = true
    mean.nextAt = now + betweenSamples
    void learn(mean, scope.settled())
  }
}

async function learn(mean: RouteMean, settled: Promise<ScopeRecord | undefined>): Promise<void> {
  try {
    const grams = (await settled)?.emissionsGrams
    if (grams === undefined) return
    mean.samples += 1
    mean.grams += (grams - mean.grams) / Math.min(mean.samples, memory)
  } finally {
    mean.isWaiting = false
  }
}
