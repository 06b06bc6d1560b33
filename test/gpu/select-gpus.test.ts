import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { selectGpus, type GpuChoice, type GpuIdentity } from '../../src/gpu/select-gpus.ts'

const a100 = 'NVIDIA A100-SXM4-80GB'
const gpus: readonly GpuIdentity[] = [
  { index: 0, uuid: 'GPU-8a56a4bc-1b2c-4d3e-8f40-0123456789ab', name: a100 },
  {
    index: 1,
    uuid: 'GPU-8a99c0de-1b2c-4d3e-8f40-0123456789ab',
    name: a100,
    migUuids: ['MIG-c0ffee00-1', 'MIG-c0ffee00-2'],
  },
  { index: 2, uuid: 'GPU-3f0011aa-1b2c-4d3e-8f40-0123456789ab', name: a100, migUuids: ['MIG-deadbeef-1'] },
  { index: 3, uuid: 'GPU-77112233-1b2c-4d3e-8f40-0123456789ab', name: a100 },
]

const choose = (
  choice: Partial<GpuChoice>,
  cards = gpus,
): { chosen: number[]; problems: string[]; by: string | undefined } => {
  const { selected, problems, chosenBy } = selectGpus(cards, { environment: {}, vendor: 'nvidia', ...choice })
  return {
    chosen: selected.map(({ index }) => index),
    problems: problems.map(({ message }) => message),
    by: chosenBy,
  }
}

describe('gpu_ids', () => {
  const uuid = (index: number): string => gpus[index]!.uuid
  it.each<[string, (string | number)[], number[]]>([
    ['an index', [2], [2]],
    ['an index as text', ['2'], [2]],
    ['several, in any order and twice', [3, '0', 3], [0, 3]],
    ['a whole UUID', [uuid(1)], [1]],
    ['a UUID in capitals', [uuid(1).toUpperCase()], [1]],
    ['the beginning of a UUID', ['GPU-3f'], [2]],
    ['the beginning without GPU-', ['3f0011'], [2]],
    ['a slice, which stands for its card', ['MIG-c0ffee00-2'], [1]],
    ['the beginning of a slice', ['MIG-dead'], [2]],
    ['a slice as older drivers wrote it', [`MIG-${uuid(3)}/1/0`], [3]],
    ['an empty list', [], []],
  ])('take %s', (_, gpuIds, chosen) => {
    expect(choose({ gpuIds })).toEqual({ chosen, problems: [], by: 'gpu_ids' })
  })

  test('an id that fits none is told with what there is, and the others count', () => {
    const { chosen, problems } = choose({ gpuIds: [0, 7] })
    expect(chosen).toEqual([0])
    expect(problems).toEqual([
      `gpu_ids: "7" fits no graphics processor; there are: ${gpus.map(({ index, uuid: id }) => `${index} (${id})`).join(', ')}`,
    ])
  })

  test('a beginning that fits several is refused, and says which', () => {
    const { chosen, problems } = choose({ gpuIds: ['GPU-8a'] })
    expect(chosen).toEqual([])
    expect(problems).toEqual([
      `gpu_ids: "GPU-8a" fits several graphics processors; there are: 0 (${uuid(0)}), 1 (${uuid(1)})`,
    ])
  })

  test('several wrong ids are one problem', () => {
    expect(choose({ gpuIds: [8, 9] }).problems).toHaveLength(1)
    expect(choose({ gpuIds: [0] }, []).problems).toEqual([
      'gpu_ids: "0" fits no graphics processor; there is none',
    ])
  })

  test('they come before the environment', () => {
    expect(choose({ gpuIds: [1], environment: { CUDA_VISIBLE_DEVICES: '3' } }).chosen).toEqual([1])
  })
})

describe('CUDA_VISIBLE_DEVICES', () => {
  it.each<[string, string | undefined, number[]]>([
    ['is not set', undefined, [0, 1, 2, 3]],
    ['is empty', '', []],
    ['is -1', '-1', []],
    ['is what Slurm writes for a job without cards', 'NoDevFiles', []],
    ['names indices', '0,2', [0, 2]],
    ['has spaces', ' 3 , 1 ', [1, 3]],
    ['names UUIDs and beginnings', 'GPU-77112233-1b2c-4d3e-8f40-0123456789ab,GPU-3f', [2, 3]],
    ['ends with -1', '1,-1,2', [1]],
    ['names a slice', 'MIG-deadbeef-1', [2]],
    ['names a slice as older drivers did', 'MIG-GPU-3f0011aa-1b2c-4d3e-8f40-0123456789ab/7/0', [2]],
  ])('that %s', (_, value, chosen) => {
    const { problems, ...rest } = choose({ environment: { CUDA_VISIBLE_DEVICES: value } })
    expect(problems).toEqual([])
    expect(rest).toEqual({ chosen, by: value === undefined ? undefined : 'CUDA_VISIBLE_DEVICES' })
  })

  it.each(['0,9,1', '0,GPU-8a,1', '0,x,1'])(
    '"%s" shows what stands before the wrong entry, and says so',
    (value) => {
      const { chosen, problems } = choose({ environment: { CUDA_VISIBLE_DEVICES: value } })
      expect(chosen).toEqual([0])
      expect(problems).toEqual([expect.stringContaining('what stands behind it are ignored')])
    },
  )

  test('an index among cards that differ is a doubt, unless CUDA numbers them by PCI bus', () => {
    const mixed = gpus.map((gpu) => (gpu.index === 0 ? { ...gpu, name: 'Tesla T4' } : gpu))
    const environment = { CUDA_VISIBLE_DEVICES: '0' }
    expect(choose({ environment }, mixed).problems).toEqual([
      expect.stringContaining('CUDA_DEVICE_ORDER=PCI_BUS_ID'),
    ])
    expect(
      choose({ environment: { ...environment, CUDA_DEVICE_ORDER: 'PCI_BUS_ID' } }, mixed).problems,
    ).toEqual([])
    expect(choose({ environment: { CUDA_VISIBLE_DEVICES: 'GPU-77' } }, mixed).problems).toEqual([])
  })
})

describe('ROCR_VISIBLE_DEVICES', () => {
  const environment = { ROCR_VISIBLE_DEVICES: '1,GPU-3f', CUDA_VISIBLE_DEVICES: '0' }

  test('shows AMD cards, and no others', () => {
    expect(choose({ environment, vendor: 'amd' }).chosen).toEqual([1, 2])
    expect(choose({ environment, vendor: 'nvidia' }).chosen).toEqual([0])
  })
})

describe('whatever is given', () => {
  const id = fc.oneof(
    fc.nat(5),
    fc.string(),
    fc.constantFrom(...gpus.flatMap(({ uuid, migUuids = [] }) => [uuid, ...migUuids])),
    fc.constantFrom(...gpus).chain(({ uuid }) => fc.nat(uuid.length).map((end) => uuid.slice(0, end))),
  )

  it('only cards that are there are chosen, each once, in order, and every id chooses one or is a problem', () => {
    fc.assert(
      fc.property(fc.array(id), (gpuIds) => {
        const { chosen, problems } = choose({ gpuIds })
        expect(chosen).toEqual([...new Set(chosen)].toSorted((a, b) => a - b))
        const alone = gpuIds.map((one) => choose({ gpuIds: [one] }))
        for (const one of alone) expect(one.chosen.length + one.problems.length).toBe(1)
        expect(new Set(alone.flatMap((one) => one.chosen))).toEqual(new Set(chosen))
        expect(problems.length).toBe(alone.some((one) => one.problems.length > 0) ? 1 : 0)
      }),
    )
  })

  it('a variable never shows more than all, and more entries never show less', () => {
    fc.assert(
      fc.property(fc.array(id), id, (before, more) => {
        const show = (ids: readonly (string | number)[]): number[] =>
          choose({ environment: { CUDA_VISIBLE_DEVICES: ids.join(',') } }).chosen
        const shown = show([...before, more])
        expect(shown).toEqual(expect.arrayContaining(before.length === 0 ? [] : show(before)))
      }),
    )
  })
})
