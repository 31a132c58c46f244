import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../', import.meta.url))
const changed = (path: string) => statSync(`${folder}${path}`, { throwIfNoEntry: false })?.mtimeMs ?? 0

/**
 * Installs the packages of the contestants if they are not there, or older than the lock file.
 *
 * @throws {Error} if `npm ci` fails
 */
export function installPeers(): void {
  if (changed('node_modules/.package-lock.json') >= changed('package-lock.json')) return
  console.error('Installing what the service is compared with: npm ci in bench/')
  const args = ['ci', '--no-audit', '--no-fund', '--include=dev']
  const { status } = spawnSync('npm', args, {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (status !== 0) throw new Error('npm ci in bench/ failed: the contestants need its packages')
}
