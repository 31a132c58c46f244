import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ignored-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

async function linesOf(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8')).split('\n')
  return lines.filter((line) => line && !line.startsWith('#'))
}

test('what .dockerignore lets into the image’s build is listed there, and the bundle can be built of it', async () => {
  const [first, ...others] = await linesOf('.dockerignore')
  expect(first).toBe('*')
  const listed = others.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  expect(others.slice(listed.length)).toEqual(['**/.env*'])

  const folder = await makeFolder()
  for (const path of listed) await cp(path, join(folder, path), { recursive: true })
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  await run(process.execPath, ['build.ts'], { cwd: folder })
  expect(await readdir(join(folder, 'dist'))).toEqual(expect.arrayContaining(['main.js', 'migrate.js']))
})

/** Of these files, those that `gcloud builds submit` does not upload: its ignore files are written like git's. */
async function notUploaded(files: string[]): Promise<string[]> {
  const folder = await makeFolder()
  for (const file of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true })
    await writeFile(join(folder, file), '')
  }
  const text = await readFile('.gcloudignore', 'utf8')
  const included = Array.from(text.matchAll(/^#!include:(.+)$/gm), ([, file = '']) => readFile(file, 'utf8'))
  await writeFile(join(folder, 'patterns'), [...(await Promise.all(included)), text].join('\n'))
  await run('git', ['init', '--quiet', folder])
  const list = ['ls-files', '--others', '--ignored', '--exclude-from', 'patterns']
  const { stdout } = await run('git', list, { cwd: folder })
  return stdout.trim().split('\n')
}

test('.gcloudignore keeps secrets, dependencies and results on this machine, and uploads what the build reads', async () => {
  const kept = [
    '.env',
    '.env.live',
    '.data/PG_VERSION',
    '.data-2/PG_VERSION',
    '.build/tag',
    'dist/main.js',
    'src/.env',
  ]
  kept.push('node_modules/pg/package.json', 'npm-debug.log', 'coverage/index.html')
  const uploaded = ['.env.example', '.gitignore', 'deploy/environments/live.env', 'deploy/lib.sh']
  uploaded.push(
    'dev/emulator.ts',
    'docs/features.md', // tests follow it
    'migrations/runtime/0001.sql',
    'migrations/features/0001.sql',
    'openapi/openapi.json',
    'src/main.ts',
    'test/http/x.test.ts',
  )
  uploaded.push('Dockerfile', '.dockerignore', 'cloudbuild.yaml', 'package-lock.json')
  expect((await notUploaded([...kept, ...uploaded])).sort()).toEqual(kept.sort())
  expect(await linesOf('.gcloudignore')).toContain('.git')
})
