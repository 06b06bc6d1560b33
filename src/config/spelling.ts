/** `measurePowerSecs` → `measure_power_secs`; `forceCarbonIntensityGCo2eKwh` → `force_carbon_intensity_g_co2e_kwh`. */
export const toSnakeCase = (name: string): string =>
  // In "country2letterIsoCode" the digit begins a word.
  name.replace('2letter', '_2letter').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** `measurePowerSecs` → `--measure-power-secs`. */
export const toFlag = (name: string): string => `--${toSnakeCase(name).replaceAll('_', '-')}`

/** `measurePowerSecs` → `CODECARBON_MEASURE_POWER_SECS`. */
export const toVariable = (name: string): string => `CODECARBON_${toSnakeCase(name).toUpperCase()}`
