import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import metadata from '../../package.json' with { type: 'json' }

/** What the Dockerfile says to one instruction, in each stage and in order. */
function instructions(name: string): string[] {
  const dockerfile = readFileSync('Dockerfile', 'utf8')
  return Array.from(dockerfile.matchAll(new RegExp(`^${name} (.*)$`, 'gm')), ([, value = '']) => value)
}

test('the image runs what `npm start` runs, without a shell, and with the flags that its code was compiled with', () => {
  const [command = '', ...others] = instructions('CMD')
  expect(JSON.parse(command)).toEqual(metadata.scripts.start.split(' '))
  expect(others).toEqual([])
  expect(instructions('ENTRYPOINT')).toEqual([])
  expect(instructions('ENV').join()).not.toContain('NODE_OPTIONS')
})

test('it runs as nobody, whatever its base', () => {
  expect(instructions('USER')).toEqual([expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/)])
})

test('it is built with the Node that package.json asks for', () => {
  expect(instructions('ARG')).toContainEqual(
    expect.stringMatching(`^BUILD_BASE=node:${metadata.engines.node}-`),
  )
  expect(readFileSync('.nvmrc', 'utf8').trim()).toBe(metadata.engines.node)
})

test('what differs from build to build comes after all that is copied', () => {
  const dockerfile = readFileSync('Dockerfile', 'utf8')
  const lastLayer = Math.max(dockerfile.lastIndexOf('\nCOPY '), dockerfile.lastIndexOf('\nRUN '))
  for (const name of ['VERSION', 'COMMIT', 'SOURCE'])
    expect(dockerfile.indexOf(`\nARG ${name}=\n`), name).toBeGreaterThan(lastLayer)
})
