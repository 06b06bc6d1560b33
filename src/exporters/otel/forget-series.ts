/** What an instrument of the SDK keeps of what readers were told before, by its own names. */
interface SdkInstrument {
  readonly _metricStorages?: readonly {
    readonly _temporalMetricStorage?: { readonly _reportHistory?: { clear?: () => void } }
  }[]
}

/**
 * Lets an instrument tell of those series alone that are observed in this collection. By the specification that is so; but where points are cumulative the SDK
 * goes on to tell every series with its last value: a power of a run that has ended, and facts of two runs at once. There is no public way to stop
 * it, so this reaches into the SDK, and does nothing where that is made otherwise.
 * https://github.com/open-telemetry/opentelemetry-js/issues/4096
 */
export function forgetSeries(instrument: object): void {
  const { _metricStorages: storages = [] } = instrument as SdkInstrument
  if (!Array.isArray(storages)) return
  for (const { _temporalMetricStorage: kept } of storages as NonNullable<SdkInstrument['_metricStorages']>) {
    const { _reportHistory: history } = kept ?? {}
    history?.clear?.()
  }
}
