import { describe, expect, it } from 'vitest'
import {
  noSums,
  nothingTold,
  toEmission,
  type Slice,
  type Sums,
  type Told,
} from '../../../src/exporters/api/slice.ts'

/** Random numbers that are the same each time (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const grow = (sums: Sums, random: () => number): Sums => {
  const step = (): number => random() * 10 ** (-9 * random())
  return {
    seconds: sums.seconds + random() * 4,
    emissions: sums.emissions + step(),
    cpu: sums.cpu + step(),
    gpu: sums.gpu + (random() < 0.5 ? 0 : step()),
    ram: sums.ram + step() * 1e-12,
    energy: sums.energy + step(),
  }
}

describe('the emissions of a run', () => {
  it('add up to its sums to the last bit and to its whole seconds, however it is sliced', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const random = createRandom(seed)
      let told: Told = nothingTold
      let sums = noSums
      const bodies: Readonly<Record<string, unknown>>[] = []
      const count = 1 + Math.floor(random() * 60)
      for (let n = 1; n <= count; n += 1) {
        sums = grow(sums, random)
        const slice = { n, wallMs: n, sums, seconds: 1, wue: 0, means: {} } as unknown as Slice
        const emission = toEmission('run', slice, told, n === count)
        if (emission === undefined) continue
        told = emission.told
        bodies.push(emission.body)
      }
      const add = (name: string): number => bodies.reduce((sum, body) => sum + Number(body[name]), 0)
      expect(bodies.every(({ duration }) => Number.isInteger(duration) && Number(duration) > 0)).toBe(true)
      expect([
        add('emissions_sum'),
        add('cpu_energy'),
        add('gpu_energy'),
        add('ram_energy'),
        add('energy_consumed'),
      ]).toEqual([sums.emissions, sums.cpu, sums.gpu, sums.ram, sums.energy])
      expect(add('duration')).toBe(Math.max(1, Math.round(sums.seconds)))
    }
  })
})
