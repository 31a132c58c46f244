import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { ContractError } from './generate.ts'

/**
 * Finds a contract, and checks that it is one: OpenAPI 3 or Swagger 2, in JSON or YAML.
 *
 * @param place a file, or a URL that starts with http:// or https://
 * @returns the place as `generateClient` takes it
 * @throws {ContractError} if nothing can be read there, or if it is no contract
 */
export async function findContract(place: string): Promise<string> {
  const isUrl = /^https?:\/\//.test(place)
  const { openapi, swagger, paths } = parseContract(place, await (isUrl ? download(place) : readText(place)))
  const version = String(openapi ?? swagger)
  if (!/^(3\.|2\.0$)/.test(version))
    throw new ContractError(
      `${place} is not OpenAPI 3 or Swagger 2: it states neither \`openapi\` nor \`swagger\`.`,
    )
  if (typeof paths !== 'object' || paths === null || Object.keys(paths).length === 0)
    throw new ContractError(`${place} has no \`paths\`: there is nothing to call.`)
  return isUrl ? place : resolve(place)
}

async function readText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(({ code }: NodeJS.ErrnoException) => {
    if (code === 'ENOENT') throw new ContractError(`There is no file ${file}. A URL starts with https://.`)
    throw new ContractError(`${file} cannot be read (${code}): give a file of JSON or YAML.`)
  })
}

async function download(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) }).catch((error: Error) => {
    const { code = error.message } = (error.cause ?? {}) as NodeJS.ErrnoException
    throw new ContractError(`${url} does not respond (${code}).`)
  })
  const text = await response.text()
  if (response.ok) return text
  throw new ContractError(
    `${url} responded with ${response.status}. Save the contract as a file, and name that.`,
  )
}

function parseContract(place: string, text: string): Record<string, unknown> {
  try {
    const parsed: unknown = parse(text)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
  } catch (cause) {
    const [first] = (cause as Error).message.split('\n')
    throw new ContractError(`${place} is neither JSON nor YAML: ${first}`, { cause })
  }
}
