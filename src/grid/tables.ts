import { lazyTable, type Table } from '../data-table.ts'

/** Yearly carbon intensity of a country, or of a state or province where `regionCode` says so. */
export interface GridRow {
  readonly countryIsoCode: string
  readonly regionCode: string | undefined
  readonly gramsPerKwh: number
  readonly year: number
  readonly basis: 'lifecycle' | 'direct'
  readonly quality: 'ok' | 'derived' | 'low'
  readonly source: string
}

/** A cloud region. It has a carbon intensity of its own where its provider publishes one. */
export interface CloudRegionRow {
  readonly cloudProvider: string
  readonly cloudRegion: string
  readonly countryIsoCode: string
  readonly regionCode: string | undefined
  /** The zone of Electricity Maps that the region lies in. */
  readonly electricityMapsZone: string
  readonly gramsPerKwh: number | undefined
  readonly year: number | undefined
  readonly basis: 'lifecycle' | 'direct' | undefined
  readonly source: string | undefined
  readonly pue: number | undefined
  readonly wueLitresPerKwh: number | undefined
  readonly pueYear: number | undefined
  readonly pueSource: string | undefined
}

/** A country (`code` is its alpha-2 code) or a state or province (`code` is its ISO 3166-2 code). */
export interface PlaceRow {
  readonly countryIsoCode: string
  readonly code: string | undefined
  readonly name: string
  /** Other spellings, separated by `|`. */
  readonly alternatives: string | undefined
}

/** The country that a time zone is of. */
export interface TimeZoneRow {
  readonly zone: string
  readonly countryIsoCode: string
}

/** Something that people can picture, and its emissions (`g`) or energy (`kWh`). */
export interface ComparisonRow {
  readonly key: string
  readonly value: number
  readonly unit: 'g' | 'kWh'
  readonly per: string
  readonly year: number
  readonly source: string
  readonly note: string
}

export const gridTable: () => Table<GridRow> = lazyTable('grid-intensity')
export const cloudTable: () => Table<CloudRegionRow> = lazyTable('cloud-regions')
export const placeTable: () => Table<PlaceRow> = lazyTable('places')
export const timeZoneTable: () => Table<TimeZoneRow> = lazyTable('time-zones')
export const comparisonTable: () => Table<ComparisonRow> = lazyTable('comparisons')
