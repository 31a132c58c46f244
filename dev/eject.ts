import { eject } from './fork/eject.ts'

// `npm run eject`: takes the examples out. `npm run eject -- orders` takes that one.

try {
  const names = process.argv.slice(2)
  console.log([...eject(names), 'next     git diff, then npm test'].join('\n'))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = error instanceof TypeError ? 2 : 1
}
