import { build } from './harness/build.ts'
import { contestants } from './harness/contestants.ts'
import { surround } from './harness/environment.ts'
import { installPeers } from './harness/install.ts'
import { leaveServerCore } from './harness/machine.ts'
import { clearProgress } from './harness/progress.ts'
import { commit, type Measured, renderSections } from './harness/report.ts'
import { runSections } from './harness/run-sections.ts'
import { merge, readSaved, write } from './harness/saved.ts'
import { sections } from './sections/sections.ts'

// npm run bench -- [--quick] [--save] [section …]
// All sections, except those that run only by name. A run of all sections, or --save, writes the results and the charts, after
// each section; --save keeps what other sections have shown before. If a section fails, the others run all the same, and the
// status is 1.

const words = process.argv.slice(2)
const flags = words.filter((word) => word.startsWith('--'))
const names = words.filter((word) => !word.startsWith('--'))
const unknown = [
  ...names.filter((name) => !sections.some((section) => section.name === name)),
  ...flags.filter((flag) => flag !== '--quick' && flag !== '--save'),
]
if (unknown.length > 0) {
  const list = sections.map(({ name }) => name).join(', ')
  console.error(
    `There is no ${unknown.join(', ')}. Usage: npm run bench -- [--quick] [--save] [section …]. Sections: ${list}`,
  )
  process.exit(2)
}
const quick = flags.includes('--quick')
const save = flags.includes('--save') || (names.length === 0 && !quick)
const chosen = sections.filter(({ name, onlyByName }) =>
  names.length > 0 ? names.includes(name) : !onlyByName,
)

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))
const measured = commit()
const saved = save && names.length > 0 ? readSaved() : []
const command = ['npm run bench', ...(words.length > 0 ? ['--', ...words] : [])].join(' ')
installPeers()
leaveServerCore()
await build([contestants.service])
const surroundings = await surround()
let results: readonly Measured[] = []
try {
  results = await runSections(chosen, {
    ...{ surroundings, quick, saved, about: { commit: measured, command } },
    onResult: (soFar) => save && write(merge(saved, soFar, sections), sections),
  })
} finally {
  clearProgress()
  await surroundings.stop()
}
console.log(renderSections(results, sections))
if (save)
  console.log('\nWritten: bench/results.json, bench/RESULTS.md, bench/chart-light.svg, bench/chart-dark.svg')
const failed = results.filter(({ failure }) => failure !== undefined).map(({ section }) => section)
if (failed.length > 0) console.error(`\nFailed: ${failed.join(', ')}`)
process.exit(failed.length > 0 ? 1 : 0)
