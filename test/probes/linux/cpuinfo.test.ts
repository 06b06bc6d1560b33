import { expect, test } from 'vitest'
import { parseCpuInfo } from '../../../src/probes/linux/cpuinfo.ts'
import {
  amdZenDesktop,
  gravitonCpuInfo,
  intelClientWithPsys,
  twoSocketXeon,
  virtualMachine,
} from '../../fixtures/machines.ts'

test('a server with two sockets has both, and all their threads', () => {
  expect(parseCpuInfo(twoSocketXeon.cpuinfo)).toEqual({
    modelName: 'Intel(R) Xeon(R) Platinum 8275CL CPU @ 3.00GHz',
    vendor: 'GenuineIntel',
    family: 6,
    model: 85,
    stepping: 7,
    sockets: 2,
    logicalCpus: 96,
    isVirtual: false,
  })
})

test('the model number is not taken from the model name, nor the other way round', () => {
  const { model, modelName } = parseCpuInfo(amdZenDesktop.cpuinfo)
  expect(model).toBe(33)
  expect(modelName).toBe('AMD Ryzen 7 5800X 8-Core Processor')
})

test('a processor that runs under no hypervisor says so by leaving the flag out', () => {
  expect(parseCpuInfo(intelClientWithPsys.cpuinfo).isVirtual).toBe(false)
  expect(parseCpuInfo(virtualMachine.cpuinfo).isVirtual).toBe(true)
})

test('a flag that only begins like that of a hypervisor is not one', () => {
  expect(parseCpuInfo('processor : 0\nflags : fpu hypervisor_like\nbugs : hypervisor\n').isVirtual).toBe(
    false,
  )
})

test('an ARM server has no name and a part number', () => {
  expect(parseCpuInfo(gravitonCpuInfo)).toEqual({
    midrPart: '0xd40',
    midrImplementer: '0x41',
    logicalCpus: 2,
    isVirtual: false,
  })
})

test('a board that tells its name in the last line has it', () => {
  const text =
    'processor\t: 0\nCPU part\t: 0xd08\n\nHardware\t: BCM2835\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n'
  expect(parseCpuInfo(text)).toMatchObject({ modelName: 'Raspberry Pi 4 Model B Rev 1.4', midrPart: '0xd08' })
})

test('of an empty file nothing is known', () => {
  expect(parseCpuInfo('')).toEqual({ logicalCpus: 0, isVirtual: false })
})

test('fields without a value are absent, not empty and not zero', () => {
  const text =
    'processor\t: 0\nvendor_id\t: \ncpu family\t: \nmodel\t\t: \nmodel name\t: \nstepping\t: unknown\nphysical id\t: \n'
  expect(parseCpuInfo(text)).toEqual({ logicalCpus: 1, isVirtual: false })
})
