import { styleText } from 'node:util'
import { scopesIn } from '#runtime'
import type { Environment } from '../machine/settings.ts'
import { type Contract, exampleRequest, readContract } from './contract.ts'
import { developmentToken } from './token.ts'

/** A fact that a person wants to know, with its name. */
type Fact = readonly [name: string, fact: string]

/** What `npm run dev` prints once the service responds: what runs where, and a request to try. */
export async function banner(environment: Environment, facts: readonly Fact[]): Promise<string> {
  const url = `http://localhost:${environment.PORT}`
  const dashboard = `${url}/runtime/dashboard`
  const all = [
    ['Service', url],
    ['Docs', `${url}/docs`],
    ...((await isServed(dashboard)) ? [['Dashboard', dashboard]] : []),
    ['Contract', `${url}/openapi.json`],
    ...facts,
    ['Stop', 'Ctrl-C'],
  ]
  const table = all.map(([name, fact]) => `  ${`${name}`.padEnd(10)} ${fact}`).join('\n')
  const heading = styleText('bold', 'The service runs, and starts again when src/ changes.', {
    stream: process.stdout,
  })
  return `\n${heading}\n\n${table}\n\n${await example(url, environment)}\n`
}

async function example(url: string, environment: Environment): Promise<string> {
  if (environment.AUTH_JWKS_URL) {
    return `A request needs a token of your identity provider (AUTH_JWKS_URL is ${environment.AUTH_JWKS_URL}).`
  }
  const contract = await contractOf(url)
  const { path, body } = exampleRequest(contract)
  const token = await developmentToken(environment, { scope: scopesIn(contract).join(' ') })
  const words = [`${url}${path}`, '-H', `Authorization: Bearer ${token}`]
  if (body !== undefined) words.push('-H', 'Content-Type: application/json', '-d', JSON.stringify(body))
  return `Try it (the token is good for 24 hours):\n\ncurl -i ${words.map(quoted).join(' ')}`
}

/** Whether the service has this page: one without tasks has no dashboard. */
async function isServed(url: string): Promise<boolean> {
  const response = await fetch(url, { method: 'HEAD' }).catch(() => undefined)
  return response?.ok ?? false
}

/** The contract that the service shows; the committed one, if it shows none. */
async function contractOf(url: string): Promise<Contract> {
  const response = await fetch(`${url}/openapi.json`).catch(() => undefined)
  return response?.ok ? ((await response.json()) as Contract) : readContract()
}

/** A word for a shell. */
function quoted(word: string): string {
  return /^[\w:/.-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
