const { statSync, writeFileSync } = require('node:fs')
const { registerHooks } = require('node:module')
const { fileURLToPath } = require('node:url')

// Preloaded by the section `size`: writes how many bytes of code a process has loaded from files, when it ends.

const files = new Set()
registerHooks({
  load(url, context, next) {
    if (url.startsWith('file:')) files.add(fileURLToPath(url))
    return next(url, context)
  },
})
process.on('exit', () => {
  const bytes = [...files].reduce((sum, file) => sum + statSync(file).size, 0)
  writeFileSync(process.env.BENCH_LOADED, JSON.stringify({ files: files.size, bytes }))
})
