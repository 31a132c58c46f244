import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Whether a command is installed. */
export function onPath(command: string): boolean {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return folders.some((folder) => existsSync(join(folder, command)))
}
