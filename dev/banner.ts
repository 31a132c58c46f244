import { styleText } from 'node:util'
import type { LocalService } from './local.ts'
import type { Environment } from './settings.ts'
import { developmentToken } from './token.ts'

/** What `npm run dev` says once the service answers: what runs where, and a request to try. */
export async function banner(environment: Environment, facts: LocalService['facts']): Promise<string> {
  const url = `http://localhost:${environment.PORT}`
  const all = [['Service', url], ['Contract', `${url}/openapi.json`], ...facts, ['Stop', 'Ctrl-C']]
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
  const headers = [
    `Authorization: Bearer ${await developmentToken(environment)}`,
    'Content-Type: application/json',
  ]
  const flags = headers.map((header) => `-H '${header}'`).join(' ')
  return `Try it (the token is good for 24 hours):\n\ncurl -i ${url}/orders ${flags} -d '{"item":"Teapot","quantity":2}'`
}
