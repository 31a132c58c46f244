import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const kit = join(dirname(createRequire(import.meta.url).resolve('drizzle-kit')), 'bin.cjs')

/**
 * Checks the name of a migration, which becomes a part of its file's name.
 *
 * @param command what one types, for the message
 * @throws {TypeError} that says what to write instead
 */
export function checkMigrationName(name: string | undefined, command: string): string {
  const example = `${command}add_due_date`
  if (name === undefined) throw new TypeError(`Name the migration after what it does: ${example}`)
  if (/^[a-z][a-z0-9_]{0,59}$/.test(name)) return name
  const better = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^[\d_]+|_$/g, '')
    .slice(0, 60)
  throw new TypeError(
    `'${name}' cannot be the name of a migration: it is small letters, digits and _, 60 at most: ${better ? `${command}${better}` : example}`,
  )
}

/**
 * Runs drizzle-kit, which writes the migration. It may ask whether a new table or column is an old one under another name.
 *
 * @param options.isCustom whether the file is empty, for SQL of one's own
 * @returns drizzle-kit's status
 */
export function writeMigration(name: string, options: { config?: string; isCustom?: boolean } = {}): number {
  const { config = 'drizzle.config.ts', isCustom = false } = options
  const words = ['generate', `--config=${config}`, `--name=${name}`, ...(isCustom ? ['--custom'] : [])]
  return spawnSync(process.execPath, [kit, ...words], { stdio: 'inherit' }).status ?? 1
}
