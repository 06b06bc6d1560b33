import type { Component, DomainKind } from '../../core/reading.ts'

/** What a power rail of a board feeds, as far as its maker says. */
export interface RailMeaning {
  readonly component: Component
  readonly kind: DomainKind
  /** Components besides that its figure holds. */
  readonly holds?: readonly Component[]
  /** Name of the rail, on the same board and socket, that contains this one. */
  readonly inside?: string
}

/** A rail that is known, and still not counted. */
export interface UncountedRail {
  readonly reason: string
}

interface RailRow {
  /** Names of the monitors that have it. */
  readonly monitors: RegExp
  /** Whole label, after the number of the channel that smpro puts before it. */
  readonly label: RegExp
  readonly means: RailMeaning | UncountedRail
}

const cpu: RailMeaning = { component: 'cpu', kind: 'other' }
const gpu: RailMeaning = { component: 'gpu', kind: 'gpu' }
const ram: RailMeaning = { component: 'ram', kind: 'ram' }
const host: RailMeaning = { component: 'host', kind: 'other' }
const notCounted = (reason: string): UncountedRail => ({ reason })

/** Monitors of INA2xx and INA3221 chips, and `ina3221x` of NVIDIA's older kernels. */
const ina = /^ina\d+x?$/
const inSystemRail = notCounted('it feeds inputs, outputs and, once more, rails that are counted themselves')

/**
 * Rails by monitor and label. The first row that fits counts.
 *
 * Jetson: "Power Monitor"/"Software-Based Power Consumption Modeling" of the NVIDIA Jetson Linux Developer Guide for each module, which
 * tells what a rail feeds: `VDD_IN` the whole module; `CV` the vision accelerators; `SOC` memory controller, codecs and the like;
 * `VDDRQ`, `VDDQ_VDD2_1V8AO` memory, which lies in the 5 V rail too. (Linux likewise leaves VIN_SYS_5V0 out of the chip's own sum:
 * `ti,summation-disable` in arch/arm64/boot/dts/nvidia/tegra234-p3701.dtsi.) The chip between memory and processor has no component of its
 * own here and counts as processor.
 */
const rows: readonly RailRow[] = [
  // Whole modules: Orin NX and Nano, Xavier NX, TX1, TX2; Nano; Thor.
  { monitors: ina, label: /^(VDD_IN|POM_5V_IN|VIN)$/, means: host },
  { monitors: ina, label: /^VDD_CPU_GPU_CV$/, means: { ...cpu, holds: ['gpu'] } },
  { monitors: ina, label: /^(VDD_GPU_SOC|GPU|VDD_GPU|VDD_SYS_GPU|POM_5V_GPU)$/, means: gpu },
  { monitors: ina, label: /^(VDD_CPU_CV|CPU|CV|VDD_CPU|VDD_SYS_CPU|POM_5V_CPU)$/, means: cpu },
  { monitors: ina, label: /^(VDD_SOC|SOC|VDD_SYS_SOC|VDD_CPU_SOC_MSS)$/, means: cpu },
  { monitors: ina, label: /^(VDDQ_VDD2_1V8AO|VDDRQ|VDD_SYS_DDR)$/, means: ram },
  { monitors: ina, label: /^(VIN_SYS_5V0|SYS5V)$/, means: inSystemRail },
  {
    monitors: ina,
    label: /^(VDD_MUX|VDD_5V0_IO_SYS|VDD_3V3_SYS.*)$/,
    means: notCounted('it feeds the carrier board'),
  },
  { monitors: ina, label: /^(NC|sum of shunt voltages)$/, means: notCounted('nothing is connected to it') },
  // Kernel documentation: hwmon/xgene-hwmon.rst (X-Gene, and Ampere Altra by ACPI).
  { monitors: /^apm_xgene$/, label: /^(CPU|IO) power$/, means: cpu },
  // Kernel documentation: hwmon/smpro-hwmon.rst (Ampere Altra). RCA is the root complex of PCI Express, part of the chip.
  { monitors: /^smpro(_hwmon)?$/, label: /^(CORE VRD|SoC|RCA VRD)$/, means: cpu },
  { monitors: /^smpro(_hwmon)?$/, label: /^DIMM VRD\d$/, means: ram },
  // NVIDIA Grace Performance Tuning Guide, "Power Telemetry": a socket; in it cores and the rest of the chip. What
  // is left is its memory (so also Alumet, plugin grace-hopper, "Sums and Estimations").
  {
    monitors: /^power_meter$/,
    label: /^Grace Power Socket \d+$/,
    means: { component: 'cpu', kind: 'package', holds: ['ram'] },
  },
  {
    monitors: /^power_meter$/,
    label: /^CPU Power Socket \d+$/,
    means: { component: 'cpu', kind: 'core', inside: 'Grace Power Socket' },
  },
  {
    monitors: /^power_meter$/,
    label: /^SysIO Power Socket \d+$/,
    means: { component: 'cpu', kind: 'uncore', inside: 'Grace Power Socket' },
  },
  {
    monitors: /^power_meter$/,
    label: /^Module Power Socket \d+$/,
    means: notCounted(
      'it holds the processor and the graphics card of a module, which have meters of their own',
    ),
  },
]

/** What is known of a rail; `undefined` where nothing is. */
export function meaningOfRail(monitor: string, label: string): RailMeaning | UncountedRail | undefined {
  const name = label.replace(/^power\d+ /, '')
  return rows.find((row) => row.monitors.test(monitor) && row.label.test(name))?.means
}
