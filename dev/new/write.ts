import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { Draft } from './template.ts'

const require = createRequire(import.meta.url)

/**
 * Writes new files and changed ones, formatted by Biome.
 *
 * @param made files that must not be there yet
 * @param changed files that are there
 * @throws {TypeError} if one of `made` is there: then nothing is written
 */
export function writeDrafts(made: readonly Draft[], changed: readonly Draft[]): void {
  const there = made.map(({ path }) => path).filter((path) => existsSync(path))
  if (there.length > 0)
    throw new TypeError(`${there.join(', ')} exists already: take another name, or remove it first`)
  for (const { path, text } of [...made, ...changed]) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  const biome = [
    require.resolve('@biomejs/biome/bin/biome'),
    'check',
    '--write',
    '--log-level=error',
    ...[...made, ...changed].map(({ path }) => path),
  ]
  for (let pass = 0; pass < 2; pass++) run('Biome', biome) // its first pass may leave lines that its second joins
}

/**
 * Runs one of the project's programs with Node.js.
 *
 * @throws {Error} with what it printed, if it fails
 */
export function run(what: string, args: readonly string[]): void {
  const line = ['--require', './dev/quick-imports.cjs', ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, line, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${what} failed:\n${stdout}${stderr}`)
}

/** The file that defines a feature; `undefined` if there is none. */
export function findFeatureFile(feature: string): Draft | undefined {
  const named = new RegExp(`defineFeature\\(\\{\\s*name: '${feature}'`)
  return globSync(`src/${feature}/**/*.ts`)
    .map((path) => ({ path: path.replaceAll('\\', '/'), text: readFileSync(path, 'utf8') }))
    .find(({ text }) => named.test(text))
}
