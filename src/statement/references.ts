/** Something to cite, as BibTeX holds it. */
export interface Reference {
  readonly key: string
  readonly type: 'article' | 'misc'
  readonly fields: Readonly<Record<string, string>>
}

/**
 * What a statement stands on: CodeCarbon, whose columns and methods these are, this package, and the two papers that CodeCarbon names as its
 * method. CodeCarbon as its own README cites it: the DOI is that of version 2.4.1, whichever version wrote the rows.
 */
export function references(version: string): readonly Reference[] {
  return [codecarbon, thisPackage(version), lacoste2019, lottick2019]
}

const codecarbon: Reference = {
  key: 'codecarbon',
  type: 'misc',
  fields: {
    author: 'Courty, Benoit and Schmidt, Victor and Luccioni, Sasha and others',
    title: '{mlco2/codecarbon}: v2.4.1',
    year: '2024',
    publisher: 'Zenodo',
    doi: '10.5281/zenodo.11171501',
    url: 'https://doi.org/10.5281/zenodo.11171501',
  },
}

const thisPackage = (version: string): Reference => ({
  key: 'codecarbon-node',
  type: 'misc',
  fields: {
    author: '{Authors of CodeCarbon for Node.js}',
    title: '{CodeCarbon} for {Node.js}',
    howpublished: 'npm package codecarbon',
    note: `Version ${version}`,
  },
})

const lacoste2019: Reference = {
  key: 'lacoste2019quantifying',
  type: 'article',
  fields: {
    author: 'Lacoste, Alexandre and Luccioni, Alexandra and Schmidt, Victor and Dandres, Thomas',
    title: 'Quantifying the Carbon Emissions of Machine Learning',
    journal: 'arXiv preprint arXiv:1910.09700',
    year: '2019',
    eprint: '1910.09700',
    archiveprefix: 'arXiv',
    url: 'https://arxiv.org/abs/1910.09700',
  },
}

const lottick2019: Reference = {
  key: 'lottick2019energy',
  type: 'article',
  fields: {
    author: 'Lottick, Kadan and Susai, Silvia and Friedler, Sorelle A. and Wilson, Jonathan P.',
    title: 'Energy Usage Reports: Environmental awareness as part of algorithmic accountability',
    journal: 'arXiv preprint arXiv:1911.08354',
    year: '2019',
    eprint: '1911.08354',
    archiveprefix: 'arXiv',
    url: 'https://arxiv.org/abs/1911.08354',
  },
}
