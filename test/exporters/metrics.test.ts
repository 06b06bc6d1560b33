import { describe, expect, it } from 'vitest'
import { metricSpecs, prometheusName } from '../../src/exporters/metrics.ts'

const specs = metricSpecs.map(([, spec]) => spec)

describe('the table of metrics', () => {
  it('has each name once, in either world', () => {
    expect(new Set(specs.map(({ name }) => name)).size).toBe(specs.length)
    expect(new Set(specs.map(prometheusName)).size).toBe(specs.length)
  })

  it.each(specs)('keeps to the naming rules of OpenTelemetry: $name', ({ name, help, attributes }) => {
    expect(name).toMatch(/^(hw|codecarbon)(\.[a-z][a-z_]*)+$/)
    // The old counter codecarbon_energy_total counts kWh.
    expect(name).not.toMatch(/total|^codecarbon\.energy$/)
    expect(help).toMatch(/^[^.]*[^.]$|^[^.]+\w$/)
    for (const label of attributes)
      expect(label).not.toMatch(/^(type|region|zone|cluster|env|service|stage)$/)
  })

  it.each([
    ['hw.energy', 'hw_energy_joules_total'],
    ['hw.power', 'hw_power_watts'],
    ['hw.gpu.utilization', 'hw_gpu_utilization_ratio'],
    ['codecarbon.emissions', 'codecarbon_emissions_grams_total'],
    ['codecarbon.carbon_intensity', 'codecarbon_carbon_intensity_grams_per_kWh'],
    ['codecarbon.water.volume', 'codecarbon_water_volume_L_total'],
    ['codecarbon.pue', 'codecarbon_pue_ratio'],
    ['codecarbon.task.duration', 'codecarbon_task_duration_seconds'],
    ['codecarbon.functional_units', 'codecarbon_functional_units_total'],
    ['codecarbon.sci', 'codecarbon_sci'],
    ['codecarbon.model_call.tokens', 'codecarbon_model_call_tokens_total'],
    ['codecarbon.model_call.remote.energy', 'codecarbon_model_call_remote_energy_joules_total'],
    ['codecarbon.gap', 'codecarbon_gap_seconds_total'],
  ])('names %s as the Collector does: %s', (name, expected) => {
    const spec = specs.find((entry) => entry.name === name)
    expect(spec === undefined ? undefined : prometheusName(spec)).toBe(expected)
  })
})
