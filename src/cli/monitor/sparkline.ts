const blocks = '▁▂▃▄▅▆▇█'
const ascii = '.:-=+*#@'

/** A row of bars from zero to the highest of the values, one a value; what is unknown is a blank. */
export function sparkline(values: readonly (number | undefined)[], isUnicode = true): string {
  const bars = isUnicode ? blocks : ascii
  const top = Math.max(...values.map((value) => value ?? 0))
  return values
    .map((value) => {
      if (value === undefined) return ' '
      const step = top > 0 ? Math.ceil((value / top) * bars.length) - 1 : 0
      return bars[Math.min(bars.length - 1, Math.max(0, step))]
    })
    .join('')
}
