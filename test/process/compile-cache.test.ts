import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { expect, onTestFinished, test } from 'vitest'
import { client } from '#test/support/client.ts'
import { spawnProgram, startService } from '#test/support/process.ts'
import { testTasks } from '#test/support/task-variables.ts'
import metadata from '../../package.json' with { type: 'json' }

/** Node's own arguments in `npm start`. */
const flags = metadata.scripts.start.split(' ').slice(1, -1)

async function copyOfBundle(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bundle-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await cp('dist', folder, { recursive: true })
  return folder
}

/** Starts the bundle in a folder, and ends with 0 where V8 has taken its compiled code. */
function takesCompiledCode(folder: string) {
  const script = `process.exit(require('./main.js').cachedDataRejected === false ? 0 : 1)`
  return spawnProgram(process.execPath, [...flags, '-e', script], {
    cwd: folder,
    env: { ...testTasks, PORT: '0' },
  }).exit
}

test.each([
  ['where it was built', async () => 'dist'],
  ['in another folder', copyOfBundle],
])('V8 takes the compiled code that the bundle brings, %s', async (_where, folder) => {
  expect(await takesCompiledCode(await folder())).toBe(0)
})

test('the compiled code is that of the functions that a start and an answer run', async () => {
  const beforeItRuns = new Script(await readFile('dist/service.js', 'latin1')).createCachedData()
  const { length } = await readFile('dist/service.cache')
  expect(length).toBeGreaterThan(1.2 * beforeItRuns.length)
})

test.each([
  ['is missing', (file: string) => rm(file)],
  ['is another version’s', (file: string) => writeFile(file, 'not for this V8')],
])(
  'the bundle starts, says so, and reads its own files later, where the compiled code %s',
  async (_what, spoil) => {
    const folder = await copyOfBundle()
    await spoil(join(folder, 'service.cache'))
    expect(await takesCompiledCode(folder)).toBe(1)
    const { url, line } = await startService({}, { file: join(folder, 'main.js') })
    await line(/"severity":"WARNING".*V8 did not take the compiled code/)
    expect((await client(url)('/openapi.json')).status).toBe(200)
  },
)

test('where Node is asked to, it names the sources in a stack', async () => {
  const { url, line } = await startService({}, { args: ['--enable-source-maps'] })
  await client(url)('/ready')
  await line(/"stack_trace":".*src\/runtime\/http\/readiness\.ts:\d+/)
})
