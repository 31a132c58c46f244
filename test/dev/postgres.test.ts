import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startPostgres } from '#dev/postgres/start.ts'
import { processes } from '#test/support/processes.ts'
import { query } from '#test/support/query.ts'

const owners: ChildProcess[] = []
let folder: string
let dataDir: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postgres-test-'))
  await chmod(folder, 0o755)
  dataDir = join(folder, 'data')
  vi.stubEnv('TMPDIR', folder)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  for (const owner of owners.splice(0)) await kill(owner)
  await vi.waitFor(() => expect(existsSync(join(dataDir, 'postmaster.pid'))).toBe(false))
  await rm(folder, { recursive: true, force: true })
})

async function show(url: string, setting: string): Promise<string> {
  return Object.values((await query(url, `SHOW ${setting}`)).rows[0]).join()
}

async function isGone(url: string): Promise<void> {
  await vi.waitFor(() => expect(query(url, 'select 1')).rejects.toThrow('ECONNREFUSED'))
}

/** Another process with a server of its own. */
async function startOwner(...args: string[]): Promise<{ owner: ChildProcess; url: string }> {
  const owner = spawn(process.execPath, ['test/dev/fixtures/owner.ts', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  owners.push(owner)
  const [url] = await once(owner.stdout, 'data')
  return { owner, url: String(url).trim() }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

function serverPid(): number {
  return Number.parseInt(readFileSync(join(dataDir, 'postmaster.pid'), 'utf8'), 10)
}

function keeperPid(): number {
  return processes().find(({ pid }) => pid === serverPid())?.parent ?? 0
}

test('without a data folder the server is fast, and leaves nothing when it stops', async () => {
  const { url, stop } = await startPostgres()
  expect(url).toMatch(/^postgres:\/\/postgres:postgres@127\.0\.0\.1:\d+\/postgres$/)
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes'])
    expect(await show(url, setting)).toBe('off')
  expect(await show(url, 'listen_addresses')).toBe('127.0.0.1')
  expect(await show(url, 'max_connections')).toBe('200')
  expect(await show(url, 'server_encoding')).toBe('UTF8')
  expect(await readdir(folder)).not.toEqual([])
  await Promise.all([stop(), stop()])
  await isGone(url)
  await stop()
  expect(await readdir(folder)).toEqual([])
})

test('with a data folder the data are durable and last', async () => {
  const first = await startPostgres({ dataDir })
  expect(await show(first.url, 'fsync')).toBe('on')
  await query(first.url, 'create table kept as select 42 as answer')
  await first.stop()
  const second = await startPostgres({ dataDir })
  expect((await query(second.url, 'select * from kept')).rows).toEqual([{ answer: 42 }])
  await second.stop()
})

test('several servers run side by side', async () => {
  const servers = await Promise.all([startPostgres(), startPostgres(), startPostgres({ dataDir })])
  expect(new Set(servers.map(({ url }) => url)).size).toBe(3)
  await Promise.all(servers.map(({ stop }) => stop()))
})

test('the server does not outlive a process that is killed', async () => {
  const { owner, url } = await startOwner()
  await query(url, 'select 1')
  await kill(owner)
  await isGone(url)
  await vi.waitFor(async () => expect(await readdir(folder)).toEqual([]))
})

test('a process may end without stopping its server', async () => {
  const { owner, url } = await startOwner(dataDir, 'ends')
  if (owner.exitCode === null) await once(owner, 'exit')
  expect(owner.exitCode).toBe(0)
  await isGone(url)
})

test('a signal to the keeper stops the server in order', async () => {
  const server = await startPostgres({ dataDir })
  const keeper = keeperPid()
  process.kill(keeper, 'SIGTERM')
  await isGone(server.url)
  await server.stop()
  expect(() => process.kill(keeper, 0)).toThrow('ESRCH')
})

test('stop returns when the server has ended by itself', async () => {
  const server = await startPostgres({ dataDir })
  const killed = serverPid()
  process.kill(killed, 'SIGKILL')
  await isGone(server.url)
  await server.stop()
  await (await startPostgres({ dataDir })).stop() // and its data folder is good
})

test('a folder that a killed run left incomplete is created from the start', async () => {
  await mkdir(join(`${dataDir}.new`, 'base'), { recursive: true })
  await writeFile(join(`${dataDir}.new`, 'PG_VERSION'), '18')
  const server = await startPostgres({ dataDir })
  await query(server.url, 'select 1')
  expect(existsSync(`${dataDir}.new`)).toBe(false)
  await server.stop()
})

test('a stale pid file is removed when its pid is another process', async () => {
  await (await startPostgres({ dataDir })).stop()
  const other = await startPostgres() // a server too, but not of this folder
  const { uid, gid } = statSync(dataDir)
  const bystander = spawn('sh', ['-c', 'read line'], { uid, gid, cwd: '/' })
  const port = new URL(other.url).port
  await writeFile(
    join(dataDir, 'postmaster.pid'),
    `${bystander.pid}\n${dataDir}\n1700000000\n${port}\n\n127.0.0.1\n`,
  )
  const server = await startPostgres({ dataDir })
  await query(server.url, 'select 1')
  await query(other.url, 'select 1')
  expect(bystander.signalCode).toBeNull()
  await Promise.all([server.stop(), other.stop(), kill(bystander)])
})

test('a server whose keeper was killed too is stopped, and the next one starts', async () => {
  const { owner, url } = await startOwner(dataDir)
  await query(url, 'create table kept as select 42 as answer')
  process.kill(keeperPid(), 'SIGKILL')
  await kill(owner)
  await query(url, 'select 1') // an orphan
  const server = await startPostgres({ dataDir })
  await isGone(url)
  expect((await query(server.url, 'select * from kept')).rows).toEqual([{ answer: 42 }])
  await server.stop()
})

test('a data folder has one user at a time', async () => {
  const { owner, url } = await startOwner(dataDir)
  await expect(startPostgres({ dataDir })).rejects.toThrow(
    `${dataDir} is in use by process ${owner.pid}. Stop that one first`,
  )
  await query(url, 'select 1') // unharmed

  // The lock of a dead process is taken over, once its server has stopped.
  await kill(owner)
  const server = await startPostgres({ dataDir })
  await isGone(url)
  await server.stop()
})

test('of several that start at once on a data folder, one gets it', async () => {
  const results = await Promise.allSettled(Array.from({ length: 4 }, () => startPostgres({ dataDir })))
  const started = results.filter((result) => result.status === 'fulfilled')
  expect(started).toHaveLength(1)
  for (const result of results) {
    if (result.status === 'rejected')
      expect(String(result.reason)).toContain(`in use by process ${process.pid}`)
  }
  await Promise.all(started.map(({ value }) => value.stop()))
})

test('a data folder of another major version is refused in plain words', async () => {
  await (await startPostgres({ dataDir })).stop()
  await writeFile(join(dataDir, 'PG_VERSION'), '14\n')
  await expect(startPostgres({ dataDir })).rejects.toThrow(
    /made by PostgreSQL 14, which 18\.\S+ cannot read\. Move it away or delete it/,
  )
})

test('a folder that holds something else is refused', async () => {
  await mkdir(dataDir)
  await writeFile(join(dataDir, 'thesis.txt'), '')
  await expect(startPostgres({ dataDir })).rejects.toThrow('holds something other than PostgreSQL data')
  expect(existsSync(join(dataDir, 'thesis.txt'))).toBe(true)
})

test('a server that does not start says why', async () => {
  await (await startPostgres({ dataDir })).stop()
  await writeFile(join(dataDir, 'postgresql.conf'), 'shared_buffers = plenty\n')
  await expect(startPostgres({ dataDir })).rejects.toThrow(/did not start on .*Its log:[\s\S]*shared_buffers/)
})
