const { readFileSync } = require('node:fs')
const { Module, createRequire } = require('node:module')
const { join } = require('node:path')
const { Script, constants } = require('node:vm')

// dist/main.js: runs dist/service.js with the code that V8 had compiled in the build, when the service had responded once.
// Node's own compile cache is made before a script runs, when V8 has compiled hardly a function of it.

const filename = join(__dirname, 'service.js')

const refused =
  'V8 did not take the compiled code in dist/service.cache, and compiles at each start: was it built by another Node, or with other flags?'

if (process.sourceMapsEnabled)
  require(filename) // Node maps the stacks of what it loads itself
else module.exports = runCompiled()

/** @returns the script: the build takes its compiled code */
function runCompiled() {
  const head = '(function (exports, require, module, __filename, __dirname) {'
  const script = new Script(`${head}${readFileSync(filename, 'latin1')}\n})`, {
    filename,
    columnOffset: -head.length,
    cachedData: compiledCode(),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  })
  if (script.cachedDataRejected !== false) process.emitWarning(refused)
  const service = new Module(filename, module)
  service.filename = filename
  require.cache[filename] = service // for the chunks that it loads later, and that import from it
  const run = script.runInThisContext()
  run.call(service.exports, service.exports, createRequire(filename), service, filename, __dirname)
  service.loaded = true
  return script
}

/** If there is none, or V8 rejects it (another version, other flags), V8 compiles the script. */
function compiledCode() {
  try {
    return readFileSync(join(__dirname, 'service.cache'))
  } catch {
    return undefined
  }
}
