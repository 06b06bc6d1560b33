import { describe, expect, it } from 'vitest'
import { nearest } from '../../src/config/nearest.ts'

describe('the nearest known word', () => {
  it.each([
    ['measure_power_sec', 'measure_power_secs'],
    ['ouput_dir', 'output_dir'],
    ['outputDir', 'output_dir'],
    ['projcet_name', 'project_name'],
    ['PROJECT_NAME', 'project_name'],
  ])('to "%s" is "%s"', (word, expected) => {
    expect(nearest(word, ['output_file', 'output_dir', 'project_name', 'measure_power_secs'])).toBe(expected)
  })

  it('counts two swapped letters as one change', () => {
    expect(nearest('Frnace', ['france', 'greece'])).toBe('france')
    expect(nearest('RFA', ['FRA'])).toBe('FRA')
  })

  it('is, of equals, the one that begins like the word', () => {
    expect(nearest('FRN', ['BRN', 'FRA', 'FRO'])).toBe('FRA')
  })

  it('is none where everything is far', () => {
    expect(nearest('xyz', ['aws', 'azure'])).toBeUndefined()
    expect(nearest('', ['aws'])).toBeUndefined()
    expect(nearest('aws', [])).toBeUndefined()
  })
})
