import { execFileSync } from 'node:child_process'

/** Builds what the process tests spawn. */
export default function setup() {
  execFileSync(process.execPath, ['build.ts'], { stdio: ['ignore', 'ignore', 'inherit'] })
}
