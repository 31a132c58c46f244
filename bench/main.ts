import { writeFileSync } from 'node:fs'
import { build } from './harness/build.ts'
import { renderChart } from './harness/chart.ts'
import { contestants } from './harness/contestants.ts'
import { surround } from './harness/environment.ts'
import { installPeers } from './harness/install.ts'
import { leaveServerCore, load } from './harness/machine.ts'
import { clearProgress } from './harness/progress.ts'
import { commit, type Measured, renderAbout, renderSections } from './harness/report.ts'
import { sections } from './sections/sections.ts'

// npm run bench -- [--quick] [--save] [section …]
// All sections, except those that run only by name. A run of all sections, or --save, writes RESULTS.md and the charts.

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

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))
installPeers()
leaveServerCore()
await build([contestants.service])
const surroundings = await surround()
const results: Measured[] = []
try {
  for (const section of sections) {
    if (names.length > 0 ? !names.includes(section.name) : section.onlyByName) continue
    const about = { date: new Date().toISOString().slice(0, 16), commit: commit(), loadBefore: load() }
    results.push({ ...(await section.run({ ...surroundings, quick }, results)), ...about })
  }
} finally {
  clearProgress()
  await surroundings.stop()
}

console.log(renderSections(results, sections))
if (save) {
  const file = (name: string) => new URL(name, import.meta.url)
  const command = ['npm run bench', ...(words.length > 0 ? ['--', ...words] : [])].join(' ')
  const intro =
    '# What the service costs\n\nThis file is written by `npm run bench`. README.md in this folder says how to read it.'
  writeFileSync(
    file('RESULTS.md'),
    `${[intro, renderAbout(command), renderSections(results, sections)].join('\n\n')}\n`,
  )
  for (const scheme of ['light', 'dark'] as const)
    writeFileSync(file(`chart-${scheme}.svg`), renderChart(results, scheme))
  console.log('\nWritten: bench/RESULTS.md, bench/chart-light.svg, bench/chart-dark.svg')
}
process.exit()
