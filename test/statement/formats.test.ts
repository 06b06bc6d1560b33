import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { escapeLatex } from '../../src/statement/latex-text.ts'
import { escapeMarkdown } from '../../src/statement/markdown-text.ts'
import { renderBibtex } from '../../src/statement/statement-bibtex.ts'
import { renderJson } from '../../src/statement/statement-json.ts'
import { renderLatex } from '../../src/statement/statement-latex.ts'
import { renderMarkdown } from '../../src/statement/statement-markdown.ts'
import { renderText } from '../../src/statement/statement-text.ts'
import { temporaryFolder } from '../fixtures/programs/temporary-folder.ts'
import { mixedFiles, mixedPath, statementOf, writeRows, type Cells } from './files.ts'

const mixed = (): ReturnType<typeof statementOf> =>
  statementOf(mixedFiles.map(mixedPath), { offsetPercent: 50 })
const oneRow = (cells: Cells): ReturnType<typeof statementOf> =>
  statementOf([writeRows(join(temporaryFolder(), 'emissions.csv'), [cells])])

describe('the statement of a file of ours, one of Python and an old one', () => {
  it.each([
    ['text', 'txt', renderText],
    ['Markdown', 'md', renderMarkdown],
    ['LaTeX', 'tex', renderLatex],
    ['JSON', 'json', renderJson],
  ])('is this in %s', async (_, extension, render) => {
    await expect(render(await mixed())).toMatchFileSnapshot(`../golden/statement.${extension}`)
  })
})

describe('every format for people', () => {
  it.each([renderText, renderMarkdown, renderLatex])('says what is unknown: %o', async (render) => {
    const text = render(await oneRow({ project_name: 'p', duration: 5, emissions: '', energy_consumed: '' }))
    expect(text).toContain('unmeasured')
    expect(text).not.toMatch(/undefined|null|NaN|\b0~?\s?(J|g)\b/)
  })

  it.each([renderText, renderMarkdown, renderLatex])(
    'speaks of offsets where they are given only: %o',
    async (render) => {
      expect(render(await mixed())).toMatch(/offset/)
      expect(render(await statementOf(mixedFiles.map(mixedPath)))).not.toMatch(/offset/)
    },
  )

  it.each([renderText, renderMarkdown, renderLatex])(
    'has the interval where all runs have one: %o',
    async (render) => {
      const ends = { energy_low: 0.9, energy_high: 1.5, emissions_low: 0.04, emissions_high: 0.07 }
      const text = render(
        await oneRow({ project_name: 'p', duration: 5, emissions: 0.05, energy_consumed: 1, ...ends }),
      )
      expect(text).toMatch(/0\.900 to 1\.50.kWh/)
      expect(text).toMatch(/40\.0 to 70\.0.g/)
    },
  )
})

describe('what stands beside the emissions', () => {
  const cells = {
    ...{ project_name: 'p', duration: 5, emissions: 0.05, energy_consumed: 1, market_emissions: 0 },
    ...{ embodied_emissions: 0.002, embodied_low: 0.001, embodied_high: 0.003 },
    ...{ functional_unit: 'image', functional_units: 1000, sci: 0.052, sci_low: 0.04, sci_high: 0.06 },
    ...{ carbon_intensity_source: 'Ember', carbon_intensity_year: 2024, carbon_intensity_basis: 'lifecycle' },
    ...{ embodied_source: 'Dell' },
  }

  it.each([renderText, renderMarkdown, renderLatex])(
    'is told, and told apart from them: %o',
    async (render) => {
      const text = render(await oneRow(cells))
        .replaceAll('~', ' ')
        .replaceAll('CO$_2$eq', 'CO2eq')
      expect(text).toMatch(/50\.0 g CO2eq/)
      expect(text).toMatch(/market-based.* 0 g CO2eq/s)
      expect(text).toMatch(/2\.00 g CO2eq \(1\.00 to 3\.00 g\)/)
      expect(text).toMatch(/52\.0 mg CO2eq per image \(40\.0 to 60\.0 mg\), of 1000/)
      expect(text).toMatch(/Ember, 2024, lifecycle/)
      expect(text).toContain('Dell')
    },
  )

  it.each([renderText, renderMarkdown, renderLatex])(
    'is not spoken of where it is unknown: %o',
    async (render) => {
      expect(render(await mixed())).not.toMatch(
        /market-based|Embodied|SCI|Making the machines|Software Carbon/,
      )
    },
  )

  it('is unknown where it is no number, and spoils nothing else of its row', async () => {
    const { total } = await oneRow({ ...cells, embodied_emissions: 'Infinity', functional_units: '1e+21' })
    expect(total).toMatchObject({ runs: 1, embodied: { value: undefined }, energy: { value: 3.6e6 } })
  })
})

it('names no gap of no runs: emissions may be known where the energy is not', async () => {
  const text = renderText(await oneRow({ project_name: 'p', duration: 1, emissions: 1, energy_consumed: '' }))
  expect(text).toMatch(/^Unknown +1 run unmeasured/m)
  expect(text).not.toMatch(/\b0 runs/)
})

describe('text', () => {
  it('lets no name move the cursor or turn the line around', async () => {
    const text = renderText(
      await oneRow({
        project_name: 'a\u001B[31m\r\nb\u202Ec',
        duration: 1,
        emissions: 1,
        energy_consumed: 1,
      }),
    )
    expect(text).toMatch(/of a\uFFFD\[31m b\uFFFDc,/)
  })
})

describe('Markdown', () => {
  it('shows names to the letter', () => {
    expect(escapeMarkdown('a|b *c* _d_ <e> & `f`\n[g](h) #1 $x$ \\')).toBe(
      String.raw`a\|b \*c\* \_d\_ &lt;e&gt; &amp; \`f\` \[g\](h) \#1 \$x\$ \\`,
    )
  })
})

describe('LaTeX', () => {
  it.each([
    ['\\input{x}', String.raw`\textbackslash{}input\{x\}`],
    ['50% & $5 #1', String.raw`50\% \& \$5 \#1`],
    ['a^b~c', String.raw`a\textasciicircum{}b\textasciitilde{}c`],
    ['<a|b>', String.raw`\textless{}a\textbar{}b\textgreater{}`],
    ['a--b,,c', 'a-{}-b,{},c'],
    ['one\n\ntwo', 'one two'],
    ['[1] *', '{[}1{]} {*}'],
    ['naïve Łódź', 'naïve Łódź'],
    ['e\u0301', 'é'],
    ['实', String.raw`\codecarbonchar{实}{23454}{5B9E}`],
  ])('writes %j as %s', (text, latex) => {
    expect(escapeLatex(text)).toBe(latex)
  })

  it('defines its macro where it is used only', async () => {
    const plain = { project_name: 'p', duration: 1, emissions: 1, energy_consumed: 1 }
    expect(renderLatex(await oneRow(plain))).not.toContain('codecarbonchar')
    expect(renderLatex(await oneRow({ ...plain, project_name: '实' }))).toContain(
      String.raw`\providecommand{\codecarbonchar}`,
    )
  })

  it('states provider, carbon efficiency, hours, hardware, TDP and emissions', async () => {
    const latex = renderLatex(await mixed())
    for (const part of [
      'gcp',
      String.raw`kgCO$_2$eq/`,
      'hours of computation',
      'EPYC 7763',
      'TDP 280~W',
      '4.33~kg',
    ]) {
      expect(latex).toContain(part)
    }
  })
})

describe('BibTeX', () => {
  it('has every key that the LaTeX cites, and the version of this package', async () => {
    const bibtex = renderBibtex({ version: '1.2.3' })
    const cited = [...renderLatex(await mixed()).matchAll(/\\cite\{([^}]+)\}/g)].flatMap(([, keys = '']) =>
      keys.split(','),
    )
    const entries = [...bibtex.matchAll(/^@\w+\{([^,]+),$/gm)].map(([, key]) => key)
    expect(cited).toEqual(entries)
    expect(bibtex).toContain('Version 1.2.3')
    for (const id of ['10.5281/zenodo.11171501', '1910.09700', '1911.08354']) expect(bibtex).toContain(id)
    expect(bibtex).toMatch(/^[\n -~]*$/)
  })
})

describe('JSON', () => {
  it('has null for the unknown, and plain numbers', async () => {
    const json = JSON.parse(
      renderJson(await oneRow({ project_name: '', duration: 0.1, emissions: '', energy_consumed: 0.3 })),
    ) as object
    expect(json).toMatchObject({
      schema: 1,
      offset_percent: null,
      total: { runs: 1, unmeasured_runs: 0, energy_kwh: 0.3, emissions_kg: null, energy_low_kwh: null },
      projects: [{ project_name: null, duration_seconds: 0.1 }],
    })
  })
})
