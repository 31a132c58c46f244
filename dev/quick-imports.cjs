const { enableCompileCache, registerHooks } = require('node:module')
const { join } = require('node:path')

// Preloaded by the tools that load the runtime: `npm run token` took 0.7 s, and takes 0.3. Node parses the package.json of a
// package again for each of its modules, and Drizzle's has 180 kB. Here Node need not ask it what kind of modules these are.
// What Node has compiled, and freed of types, is kept in .build/.

const ofDrizzle = /\/node_modules\/drizzle-orm\/.*\.js$/

enableCompileCache(join(__dirname, '../.build/compiled'))
registerHooks({
  resolve(specifier, context, nextResolve) {
    const { parentURL = '' } = context
    if (!/^\.\.?\/.*\.js$/.test(specifier) || !ofDrizzle.test(parentURL))
      return nextResolve(specifier, context)
    return { url: new URL(specifier, parentURL).href, format: 'module', shortCircuit: true }
  },
})
