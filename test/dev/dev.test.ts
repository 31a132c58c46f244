import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, cp, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { freePort } from '#dev/machine/ports.ts'
import { startPostgres } from '#dev/postgres/start.ts'
import { pasteCurl } from '#test/support/curl.ts'
import { alive, descendants } from '#test/support/processes.ts'
import { featureVariables } from '#test/support/task-variables.ts'

vi.setConfig({ testTimeout: 600_000 })

/** A copy of the project, to be changed while it runs. */
let project: string
const started: { child: ChildProcess; pids: Set<number> }[] = []

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'dev-test-'))
  await chmod(project, 0o755)
  for (const name of ['package.json', 'src', 'dev', 'migrations']) {
    await cp(name, join(project, name), { recursive: true })
  }
  await symlink(resolve('node_modules'), join(project, 'node_modules'))
})

afterEach(async () => {
  for (const { child, pids } of started.splice(0)) {
    const below = descendants(child.pid ?? 0).map(({ pid }) => pid)
    for (const pid of alive(new Set([...pids, ...below]))) process.kill(pid, 'SIGKILL')
  }
  await rm(project, { recursive: true, force: true, maxRetries: 20 })
})

/** Starts `npm run dev`, or another command, in the copy. */
async function start(environment: Record<string, string> = {}, command = ['npm', 'run', 'dev']) {
  const port = String(await freePort())
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter)
  const [file = '', ...args] = command
  const env = {
    PATH,
    HOME: process.env.HOME,
    PORT: port,
    DATA_DIR: 'data',
    ...featureVariables,
    ...environment,
  }
  const child = spawn(file, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const run = { child, output: '', pids: new Set<number>(), url: `http://localhost:${port}` }
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      run.output += chunk
    })
  }
  started.push(run)
  return run
}

type Run = Awaited<ReturnType<typeof start>>

async function says(run: Run, text: string | RegExp): Promise<void> {
  await vi.waitFor(() => expect(run.output).toMatch(text))
  notePids(run)
}

/** The run's processes, for the time when it is gone and nothing leads to them. */
function notePids(run: Run): number {
  for (const { pid } of descendants(run.child.pid ?? 0)) run.pids.add(pid)
  return run.pids.size
}

async function exit(run: Run): Promise<number | null> {
  if (run.child.exitCode === null && run.child.signalCode === null) await once(run.child, 'exit')
  return run.child.exitCode
}

async function allGone(run: Run): Promise<void> {
  expect(run.pids.size).toBeGreaterThan(3) // the run, the keeper, its server's processes, the service
  await vi.waitFor(() => expect(alive(run.pids)).toEqual([]))
}

/** What others' software has set, and we are not to take for ours. */
const foreign = {
  PGHOST: '/nowhere',
  PGUSER: 'eve',
  PGSSLMODE: 'require',
  PGOPTIONS: '-c search_path=elsewhere',
  http_proxy: 'http://127.0.0.1:9',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  NODE_USE_ENV_PROXY: '1',
  NODE_ENV: 'production',
}

/** What a service answers that is up, whether it has the route or not. */
const answer = /^HTTP\/1\.1 [24]\d\d /

/** Asks the database that a run says it has. */
async function query(run: Run, statement: string): Promise<void> {
  const connectionString = run.output.match(/postgres:\/\/\S+\/service/)?.[0]
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.query(statement)
  await client.end()
}

test('npm run dev: the printed line gets a response; a change restarts; SIGTERM ends all', async () => {
  const run = await start(foreign)
  await says(run, /^curl /m)
  expect(run.output).toContain(`${run.url}/openapi.json`)
  expect(run.output).toMatch(/postgres:\/\/postgres:postgres@127\.0\.0\.1:\d+\/service/)
  expect(run.output).toContain(join('data', 'postgres'))
  expect(run.output).not.toContain('\u001b[') // not a terminal
  expect(await pasteCurl(run.output)).toMatch(answer)
  await query(run, 'create table kept (id int)')

  // an editor writes beside the file, and puts that in its place
  const app = join(project, 'src', 'app.ts')
  await cp(app, `${app}~`)
  await rename(`${app}~`, app)
  await says(run, `${join('src', 'app.ts')} changed: starting the service again.`)
  await says(run, 'It runs again')
  await vi.waitFor(async () => expect(await pasteCurl(run.output)).toMatch(answer))
  expect(run.output.match(/^curl /gm)).toHaveLength(1)

  expect(run.output).not.toContain('still alive') // the guard's word
  run.child.kill('SIGTERM') // npm, whose exit code is its shell's
  await exit(run)
  await allGone(run)

  // The next run finds the data, and nothing in its way.
  const next = await start({}, ['node', 'dev/main.ts'])
  await says(next, /^curl /m)
  await query(next, 'select from kept')
  next.child.kill('SIGTERM')
  expect(await exit(next)).toBe(0)
  await allGone(next)
})

test('a service that does not come up waits for the change that mends it', async () => {
  const main = join(project, 'src', 'main.ts')
  const right = await readFile(main, 'utf8')
  await writeFile(main, `throw new Error('broken')\n${right}`)
  const run = await start({}, ['node', 'dev/main.ts'])
  await says(run, 'The service ended (exit code 1). It starts again when a file changes.')
  expect(run.output).not.toMatch(/^curl /m)
  await writeFile(main, 'const half = {')
  await says(run, 'The sources cannot be bundled. It starts when a file changes.')
  const env = join(project, '.env')
  await writeFile(env, 'LOG_LEVEL=loud')
  await writeFile(main, right)
  await says(run, 'Write it to .env, as .env.example shows.')
  await writeFile(env, '')
  await says(run, /^curl /m)
  expect(await pasteCurl(run.output)).toMatch(answer)

  // A migration that fails keeps the service down, and the next one is applied before it starts.
  const journal = join(project, 'migrations', 'features', 'meta', '_journal.json')
  const entries = JSON.parse(await readFile(journal, 'utf8'))
  const tag = '9999_extra'
  entries.entries.push({ ...entries.entries.at(-1), idx: entries.entries.length, when: Date.now(), tag })
  const sql = join(project, 'migrations', 'features', `${tag}.sql`)
  await writeFile(sql, 'create tabel extra ()')
  await writeFile(journal, JSON.stringify(entries))
  await says(run, 'The migrations were not applied (exit code 1).')
  await writeFile(sql, 'create table extra ()')
  await vi.waitFor(async () => expect(await pasteCurl(run.output)).toMatch(answer))
  notePids(run)

  run.child.kill('SIGHUP')
  expect(await exit(run)).toBe(0)
  await allGone(run)
})

test('nothing survives a SIGKILL of npm run dev', async () => {
  const run = await start({}, ['node', 'dev/main.ts'])
  await says(run, /^curl /m)
  run.child.kill('SIGKILL')
  await exit(run)
  await allGone(run)
})

test('a second signal ends all at once, even a service that hangs', async () => {
  const run = await start({}, ['node', 'dev/main.ts'])
  await says(run, /^curl /m)
  const service = descendants(run.child.pid ?? 0).filter(({ command }) => command.endsWith('service.js'))
  expect(service).toHaveLength(1)
  for (const { pid } of service) process.kill(pid, 'SIGSTOP')
  await vi.waitFor(() => {
    run.child.kill('SIGINT')
    expect(run.child.exitCode).toBe(1)
  })
  await allGone(run)
})

test('a signal before all is up ends it as well', async () => {
  const run = await start({}, ['node', 'dev/main.ts'])
  await vi.waitFor(() => expect(notePids(run)).toBeGreaterThan(1))
  run.child.kill('SIGINT')
  expect(await exit(run)).toBe(0)
  await vi.waitFor(() => expect(alive(run.pids)).toEqual([]))
})

test('a database and an identity provider of one’s own are taken as they are', async () => {
  const server = await startPostgres()
  const AUTH_JWKS_URL = 'https://issuer.example/keys'
  const provider = { AUTH_JWKS_URL, AUTH_ISSUER: 'https://issuer.example', AUTH_AUDIENCE: 'orders' }
  const run = await start({ DATABASE_URL: server.url, ...provider }, ['node', 'dev/main.ts'])
  await says(run, `A request needs a token of your identity provider (AUTH_JWKS_URL is ${AUTH_JWKS_URL}).`)
  expect(run.output).toContain('yours (DATABASE_URL)')
  expect(run.output).not.toContain('curl')
  expect(run.pids.size).toBe(2) // itself and the service
  run.child.kill('SIGTERM')
  expect(await exit(run)).toBe(0)
  await server.stop()
})

test('a taken port is reported before anything starts', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const run = await start({ PORT: String(port) }, ['node', 'dev/main.ts'])
  expect(await exit(run)).toBe(1)
  expect(run.output).toEqual(
    expect.stringMatching(
      `^Port ${port} is already in use. Stop the program that listens there, or choose another: PORT=\\d+ npm run dev\n$`,
    ),
  )
  other.close()
})
