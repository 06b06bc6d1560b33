import { expect, test } from 'vitest'
import { findCpu } from '../../../src/cpu/find-cpu.ts'
import { createCpuModel } from '../../../src/probes/cpu-model.ts'
import { parseProcessorIdentifier } from '../../../src/probes/windows/processor-identifier.ts'

test.each([
  [
    'Intel64 Family 6 Model 85 Stepping 7, GenuineIntel',
    { vendor: 'GenuineIntel', family: 6, model: 85, stepping: 7 },
  ],
  [
    'AMD64 Family 25 Model 1 Stepping 1, AuthenticAMD',
    { vendor: 'AuthenticAMD', family: 25, model: 1, stepping: 1 },
  ],
  [
    'x86 Family 6 Model 158 Stepping 10, GenuineIntel',
    { vendor: 'GenuineIntel', family: 6, model: 158, stepping: 10 },
  ],
])('%s is read', (text, identity) => {
  expect(parseProcessorIdentifier(text)).toEqual(identity)
})

test.each([
  undefined,
  '',
  'ARMv8 (64-bit) Family 8 Model 1 Revision 201, Qualcomm Technologies Inc',
  'Intel64 Family six',
])('%s says nothing', (text) => {
  expect(parseProcessorIdentifier(text)).toEqual({})
})

test('a masked name with it is the family, as on Linux', () => {
  const modelName = 'Intel(R) Xeon(R) Processor @ 2.20GHz'
  expect(findCpu(modelName)).toBeUndefined()
  const identity = parseProcessorIdentifier('Intel64 Family 6 Model 85 Stepping 7, GenuineIntel')
  const { basis } = createCpuModel({ modelName, ...identity, logicalCpus: 8, isVirtual: true })
  expect(basis).toContain('8 threads of an unnamed Cascade Lake')
})
