import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ratio, watts } from '../../src/core/units.ts'
import { findGpu } from '../../src/gpu/find-gpu.ts'
import { estimateGpuPower } from '../../src/gpu/gpu-power-model.ts'

const { rows } = JSON.parse(readFileSync('data/gpu-power.json', 'utf8')) as {
  rows: [vendor: string, name: string, tdpWatts: number, idleWatts: number][]
}

/** Names as nvidia-smi, lspci and datasheets spell them. */
const known = [
  ['NVIDIA A100-SXM4-80GB', 'A100 SXM4 80GB', 'normalised'],
  ['NVIDIA A100 80GB PCIe', 'A100 PCIe 80GB', 'normalised'],
  ['A100-PCIE-40GB', 'A100 PCIe 40GB', 'normalised'],
  ['NVIDIA H100 80GB HBM3', 'H100 SXM5 80GB', 'tokens'],
  ['NVIDIA H100 PCIe', 'H100 PCIe', 'normalised'],
  ['NVIDIA B200', 'B200 SXM', 'tokens'],
  ['Tesla V100-SXM2-16GB', 'V100 SXM2 16GB', 'normalised'],
  ['Tesla P100-PCIE-16GB', 'P100 PCIe 16GB', 'normalised'],
  ['Tesla T4', 'T4', 'normalised'],
  ['NVIDIA A10G', 'A10G', 'normalised'],
  ['GRID K520', 'K520 (GRID)', 'normalised'],
  ['NVIDIA GeForce RTX 4090', 'GeForce RTX 4090', 'normalised'],
  ['rtx 4090', 'GeForce RTX 4090', 'tokens'],
  ['GeForce GTX 1080 Ti', 'GeForce GTX 1080 Ti', 'exact'],
  ['NVIDIA GeForce RTX 3080 Laptop GPU', 'GeForce RTX 3080 Laptop GPU', 'normalised'],
  ['NVIDIA RTX PRO 6000 Blackwell Workstation Edition', 'RTX PRO 6000 Blackwell Workstation', 'normalised'],
  ['NVIDIA TITAN X (Pascal)', 'TITAN X (Pascal)', 'normalised'],
  ['AMD Instinct MI300X', 'Instinct MI300X', 'normalised'],
  ['Intel(R) Arc(TM) A770 Graphics', 'Arc A770', 'normalised'],
] as const

/** What must not be taken for the card that it resembles. */
const doubtful = [
  '',
  'NVIDIA',
  '4000',
  'NVIDIA H200',
  'TITAN X',
  'RTX 6000',
  'NVIDIA GeForce RTX 2080 with Max-Q Design',
  'NVIDIA GeForce RTX 3050 6GB',
  'NVIDIA A100-SXM4-80GB MIG 1g.10gb',
  'GRID T4-8Q',
  'GRID A100D-40C',
  'NVIDIA A800-SXM4-80GB',
  'Tesla V100-FHHL-16GB',
  'NVIDIA GeForce RTX 9090',
  'Radeon RX 6800/6800 XT / 6900 XT',
]

describe('a graphics card looked up by name', () => {
  it.each(known)('"%s" is %s (%s)', (name, part, matchedBy) => {
    expect(findGpu(name)).toMatchObject({ name: part, matchedBy })
  })

  it.each(doubtful)('"%s" is not taken for another card', (name) => {
    expect(findGpu(name)).toBeUndefined()
  })

  it('is every row of the table by its own name, and by what drivers put around it', () => {
    for (const [vendor, name, tdpWatts, idleWatts] of rows) {
      expect(findGpu(name)).toMatchObject({ name, vendor, tdpWatts, idleWatts, matchedBy: 'exact' })
      expect(findGpu(`${vendor}(R) ${name.toUpperCase()} Graphics`)).toMatchObject({ name, tdpWatts })
    }
  })

  it('says who published its figures', () => {
    expect(findGpu('Tesla T4')).toMatchObject({
      vendor: 'NVIDIA',
      class: 'datacenter',
      year: 2018,
      confidence: 'high',
      source: 'Datasheets of NVIDIA, AMD and Intel; Typical idle readings',
    })
  })
})

describe('the power of a card of which only the use is known', () => {
  const a100 = { tdpWatts: 400, idleWatts: 55, idleWithContextWatts: 85 }

  it('goes from idle to the limit as a straight line', () => {
    expect(estimateGpuPower(a100, ratio(0)).value).toBe(55)
    expect(estimateGpuPower(a100, ratio(0.5)).value).toBeCloseTo((55 + 400) / 2, 9)
    expect(estimateGpuPower(a100, ratio(1)).value).toBe(400)
    expect(estimateGpuPower(a100, ratio(1), watts(300)).value).toBe(300)
  })

  it('lies in its interval, which no limit is beyond, and never falls with use', () => {
    const row = fc.constantFrom(...rows.map(([, name]) => name))
    fc.assert(
      fc.property(
        row,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 2000 }),
        (name, use, limit) => {
          const part = findGpu(name)!
          const { value, low, high } = estimateGpuPower(part, ratio(use), watts(limit))
          const busier = estimateGpuPower(part, ratio(use + 0.1), watts(limit))
          expect(low).toBeLessThanOrEqual(value + 1e-9)
          expect(high).toBeGreaterThanOrEqual(value - 1e-9)
          expect(high).toBeLessThanOrEqual(limit + 1e-9)
          expect(busier.value).toBeGreaterThanOrEqual(value - 1e-9)
          expect(busier.low).toBeGreaterThanOrEqual(low - 1e-9)
        },
      ),
    )
  })
})
