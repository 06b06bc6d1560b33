import { expect, it } from 'vitest'
import { emissionsColumns, extendedColumns, taskColumns, toRow } from '../../../src/exporters/csv/columns.ts'
import { upstreamColumns, upstreamTaskColumns } from '../../fixtures/csv/columns.ts'
import { recordOf, taskOf } from '../../fixtures/csv/records.ts'

it('has the 38 columns of CodeCarbon in its order', () => {
  expect(emissionsColumns).toHaveLength(38)
  expect(emissionsColumns).toEqual(upstreamColumns)
})

it("has CodeCarbon's columns of tasks in its order", () => {
  expect(taskColumns).toEqual(upstreamTaskColumns)
})

it('adds columns of its own after those, each with another name', () => {
  expect(extendedColumns.filter((column) => emissionsColumns.includes(column))).toEqual([])
  expect(new Set(extendedColumns).size).toBe(extendedColumns.length)
})

it('knows a cell for every column there is, and no cell without one', () => {
  const cells = Object.keys(toRow(recordOf()))
  expect(new Set(cells)).toEqual(new Set([...emissionsColumns, ...taskColumns, ...extendedColumns]))
})

it('tells of each component how it was obtained', () => {
  const row = toRow(recordOf())
  expect(row).toMatchObject({ cpu_method: 'measured', cpu_source: 'rapl', ram_method: 'estimated' })
  expect(row['gpu_method']).toBeUndefined()
})

it('names a task only in the record of a task', () => {
  expect(toRow(taskOf('epoch'))['task_name']).toBe('epoch')
  expect(toRow(recordOf())['task_name']).toBeUndefined()
})
