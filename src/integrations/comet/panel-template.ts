import { randomBytes } from 'node:crypto'
import { zipSync } from 'fflate'

/** What a template is made of. */
export interface PanelTemplate {
  readonly name: string
  readonly description: string
  /** Source of a Python panel. */
  readonly python: string
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
}

/** A Python panel in the form in which Comet hands panels out and takes them: a zip with one JSON file, whose names are Comet's. */
export function toPanelTemplate({ name, description, python, createdAtMs }: PanelTemplate): Uint8Array {
  const template = {
    templateName: name,
    code: {
      code: '',
      css: '',
      description,
      html: '',
      defaultConfig: '',
      internalResources: [],
      userResources: [],
      pyCode: python,
      type: 'py',
      pyConfig: '{}',
    },
    createdAt: createdAtMs,
    thumbnailName: `template-thumbnail-${randomBytes(13).toString('hex').slice(0, 25)}`,
    editable: true,
  }
  return zipSync({ 'tempVisualizationTemplate.json': Buffer.from(JSON.stringify(template)) })
}
