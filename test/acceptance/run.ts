import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { howToGive, readCredentials, serverlessHeaders } from './credentials.ts'

// npm run test:acceptance -- [URL] [vitest arguments]

const usage = 'Usage: npm run test:acceptance -- [URL] [vitest arguments], such as --tags-filter=live-safe'

class Refusal extends Error {}

function readArguments([first = '', ...others]: string[]): { url: string; rest: string[] } {
  if (/^https?:\/\//.test(first)) {
    const url = URL.parse(first)
    if (url?.pathname !== '/')
      throw new Refusal(`${first} is not the URL of a service: give its origin.\n${usage}`)
    return { url: url.origin, rest: others }
  }
  if (/^[\w.-]+(:\d+|\.(app|com))\b/.test(first))
    throw new Refusal(`${first} needs its scheme, http:// or https://.\n${usage}`)
  return { url: 'http://localhost:8080', rest: first ? [first, ...others] : [] }
}

/** Says which build is tested. */
async function meet(url: string): Promise<string> {
  const options = {
    headers: serverlessHeaders(),
    redirect: 'manual',
    signal: AbortSignal.timeout(30_000),
  } as const
  const response = await fetch(`${url}/version`, options).catch((error: Error) => {
    const { code } = (error.cause ?? {}) as NodeJS.ErrnoException
    throw new Refusal(`Nothing answers at ${url} (${code ?? error.message}). Start it, here by: npm run dev`)
  })
  if (response.status !== 200) {
    const hint =
      response.status === 403 ? ' If Cloud Run asks for an ID token, give it in SERVERLESS_TOKEN.' : ''
    throw new Refusal(
      `${url}/version answers ${response.status}: this is no service of this template.${hint}`,
    )
  }
  const { service, revision, environment } = (await response.json()) as Record<string, string>
  return `Testing ${service} at ${url} (revision ${revision}, environment ${environment})`
}

try {
  const { url, rest } = readArguments(process.argv.slice(2))
  const credentials = await readCredentials(url)
  if (!credentials) throw new Refusal(`There are no credentials for ${url}.\n${howToGive}`)
  console.log(await meet(url))
  if (credentials.subjects === 'none') {
    console.log('ACCEPTANCE_TOKEN is none: the tests that need a token are left out.')
    rest.push('--tags-filter=!token')
  }
  // the tests wait for the service: a second process would cost more than it saves
  const vitest = fileURLToPath(new URL('vitest.mjs', import.meta.resolve('vitest/package.json')))
  const child = spawn(
    process.execPath,
    [vitest, 'run', '--project', 'acceptance', '--maxWorkers=1', ...rest],
    {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, ACCEPTANCE_URL: url },
      stdio: 'inherit',
    },
  )
  const [status] = await once(child, 'exit')
  process.exitCode = status ?? 1
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  console.error(error.message)
  process.exitCode = 1
}
