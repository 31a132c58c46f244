import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll } from 'vitest'
import { type ForgedClaims, forge, goodClaims, type ProviderKey } from './forge.ts'
import { testAuth } from './tokens.ts'

/** An identity provider on this machine. */
export interface Provider {
  /** Where its keys are. */
  readonly url: string
  /** The path of every request so far. */
  readonly requests: string[]
  /** What it answers with; `keys` if absent. */
  answer: RequestListener | undefined
  keys: unknown[]
  /** The variables of a service that takes its tokens. */
  readonly environment: Record<string, string>
  /** Stops listening, for good. */
  stop(): Promise<void>
}

/** Starts a provider with these keys; it stops when the file ends. */
export async function startProvider(...keys: ProviderKey[]): Promise<Provider> {
  const server = createServer((request, response) => {
    provider.requests.push(request.url ?? '')
    if (provider.answer) return provider.answer(request, response)
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: provider.keys }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/jwks.json`
  const provider: Provider = {
    url,
    requests: [],
    answer: undefined,
    keys: keys.map(({ jwk }) => jwk),
    environment: {
      AUTH_SECRET: '',
      AUTH_JWKS_URL: url,
      AUTH_ISSUER: testAuth.issuer,
      AUTH_AUDIENCE: testAuth.audience,
    },
    async stop() {
      server.closeAllConnections()
      await server[Symbol.asyncDispose]()
    },
  }
  afterAll(() => (server.listening ? provider.stop() : undefined))
  return provider
}

/** A token as the provider signs it with this key. */
export function providerToken(key: ProviderKey, claims: ForgedClaims = {}, header: object = {}): string {
  const { alg, kid, privateKey } = key
  return forge({ header: { alg, kid, ...header }, claims: goodClaims(claims), key: privateKey })
}
