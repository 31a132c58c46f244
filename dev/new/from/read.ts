import { readFileSync, statSync } from 'node:fs'
import { upgrade } from '@scalar/openapi-upgrader'
import { parse } from 'yaml'
import { below, DocumentError, isJson, type Json, lookUp } from './document.ts'

const limitBytes = 5_000_000

/**
 * Reads an OpenAPI document: Swagger 2.0, OpenAPI 3.0 or 3.1, in JSON or YAML. Nothing is fetched.
 *
 * @returns the document as OpenAPI 3.1, whose references all lead somewhere in it
 * @throws {DocumentError} with one line that says what is wrong, and what to do
 */
export function readDocument(file: string): Json {
  const document = parseText(file, readText(file))
  const version = String(document.openapi ?? document.swagger)
  if (!/^(3\.[01](\.|$)|2(\.0)?$)/.test(version))
    throw new DocumentError(
      'openapi' in document || 'swagger' in document
        ? `${file} is of version ${version}: write it as Swagger 2.0, OpenAPI 3.0 or 3.1`
        : `${file} is no OpenAPI document: it states neither \`openapi\` nor \`swagger\``,
    )
  if (!isJson(document.paths) || Object.keys(document.paths).length === 0)
    throw new DocumentError(`${file} has no \`paths\`: there is no route to write`)
  checkReferences(file, document)
  const upgraded: Json = {
    ...upgrade({ ...document, ...(document.swagger !== undefined && { swagger: '2.0' }) }, '3.1'),
  }
  checkReferences(file, upgraded)
  return upgraded
}

function readText(file: string): string {
  try {
    const { size } = statSync(file)
    if (size > limitBytes)
      throw new DocumentError(
        `${file} has ${size} bytes, the limit is ${limitBytes}: take out what is not of this feature`,
      )
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof DocumentError) throw error
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && /^https?:/.test(file))
      throw new DocumentError(`${file} is no file: download it first, and name the file`)
    throw new DocumentError(
      code === 'ENOENT' ? `There is no file ${file}` : `${file} cannot be read: ${code}`,
    )
  }
}

function parseText(file: string, text: string): Json {
  try {
    const parsed: unknown = JSON.parse(JSON.stringify(parse(text, { logLevel: 'error' })) ?? 'null')
    if (isJson(parsed)) return parsed
  } catch (cause) {
    const [first] = (cause as Error).message.split('\n')
    throw new DocumentError(`${file} is neither JSON nor YAML: ${first}`, { cause })
  }
  throw new DocumentError(`${file} is no OpenAPI document: it is not an object`)
}

function checkReferences(file: string, document: Json, value: unknown = document, place = '#'): void {
  if (typeof value !== 'object' || value === null) return
  const reference = (value as Json).$ref
  if (typeof reference === 'string') {
    if (!reference.startsWith('#'))
      throw new DocumentError(
        `${file} refers to another file at ${place}: ${reference}. Put all in one file first: npx redocly bundle ${file} -o bundled.yaml`,
      )
    try {
      lookUp(document, reference)
    } catch (error) {
      throw new DocumentError(`${file} at ${place}: ${(error as Error).message}`)
    }
  }
  for (const [key, part] of Object.entries(value))
    if (!/^(example|examples|default|enum|const|x-.*)$/.test(key) || place.endsWith('/properties'))
      checkReferences(file, document, part, below(place, key))
}
