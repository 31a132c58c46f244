import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { bundle } from '../../bundle.ts'
import { copyPackages } from '../../unbundled.ts'

type Files = Record<string, string>

/** A folder with these files, which goes with the test. */
async function folderOf(files: Files): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'unbundled-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return folder
}

const manifest = (name: string, more: object = {}) => JSON.stringify({ name, version: '1.0.0', ...more })

/** Packages as forks have them: one that reads a file beside it, one with native code, one that is written for neither. */
const installed: Files = {
  'node_modules/fonts/package.json': manifest('fonts'),
  'node_modules/fonts/index.js':
    "exports.first = () => require('fs').readFileSync(__dirname + '/data.txt', 'utf8')",
  'node_modules/fonts/data.txt': 'Helvetica',
  'node_modules/native/package.json': manifest('native', { main: 'lib/index.js' }),
  'node_modules/native/lib/index.js': "module.exports = require('./build/native.node')",
  'node_modules/native/lib/build/native.node': 'not code for this machine',
  'node_modules/platforms/package.json': manifest('platforms'),
  'node_modules/platforms/index.js': "module.exports = require('platforms-linux')",
  'node_modules/platforms-linux/package.json': manifest('platforms-linux', { main: 'linux.node' }),
  'node_modules/platforms-linux/linux.node': 'not code for this machine',
  'node_modules/@scope/images/package.json': manifest('@scope/images', {
    type: 'module',
    exports: { '.': './index.js', './sizes': './sizes.js' },
    dependencies: { colours: '2' },
    optionalDependencies: { 'images-linux': '1', 'images-windows': '1' },
    peerDependencies: { fonts: '1', canvas: '1' },
    peerDependenciesMeta: { canvas: { optional: true } },
  }),
  'node_modules/@scope/images/index.js':
    "import { name } from 'colours'\nimport { fileURLToPath } from 'node:url'\nexport const place = () => fileURLToPath(import.meta.url)\nexport { name }",
  'node_modules/@scope/images/sizes.js': 'export const large = 100',
  'node_modules/@scope/images/node_modules/colours/package.json': manifest('colours', { version: '2.0.0' }),
  'node_modules/@scope/images/node_modules/colours/index.js': "exports.name = 'two'",
  'node_modules/@scope/images/node_modules/unused/package.json': manifest('unused'),
  'node_modules/colours/package.json': manifest('colours'),
  'node_modules/colours/index.js': "exports.name = 'one'",
  'node_modules/images-linux/package.json': manifest('images-linux'),
  'node_modules/images-linux/lib.so': 'linux',
}

/** Bundles a program in a folder of its own, and runs it where no other node_modules is. */
async function run(program: string, unbundled: string[]): Promise<string> {
  const folder = await folderOf({ ...installed, 'main.ts': program })
  const dist = join(await folderOf({}), 'dist')
  await bundle({ main: join(folder, 'main.ts') }, dist, unbundled)
  await copyPackages(unbundled, folder, dist)
  await writeFile(join(dist, 'package.json'), '{ "type": "commonjs" }')
  return (await promisify(execFile)(process.execPath, [join(dist, 'main.js')])).stdout
}

test('what stays outside is found beside the bundle, and finds its own files', async () => {
  const program = `import { first } from 'fonts'
    import { name, place } from '@scope/images'
    import { large } from '@scope/images/sizes'
    import { name as other } from 'colours'
    console.log(first(), name, other, large, place())`
  expect(await run(program, ['fonts', '@scope/images'])).toMatch(
    /^Helvetica two one 100 .*\/dist\/node_modules\/@scope\/images\/index\.js\n$/,
  )
})

test('it comes with exactly what it needs: its dependencies, and the optional ones that are there', async () => {
  const root = await folderOf(installed)
  const target = await folderOf({})
  await copyPackages(['@scope/images'], root, target)
  const files = await readdir(target, { recursive: true, withFileTypes: true })
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name))
  expect(paths.map((path) => path.slice(target.length + 1)).sort()).toEqual(
    Object.keys(installed)
      .filter((path) => /^node_modules\/(@scope\/images|fonts|images-linux)\//.test(path))
      .filter((path) => !path.includes('unused'))
      .sort(),
  )
})

test('a package that is not installed is named, with who needs it', async () => {
  const root = await folderOf({
    'node_modules/a/package.json': manifest('a', { dependencies: { b: '1' } }),
  })
  const target = await folderOf({})
  await expect(copyPackages(['a'], root, target)).rejects.toThrow(
    'a names b, which is not in node_modules: npm install b',
  )
  await expect(copyPackages(['c'], root, target)).rejects.toThrow(
    'package.json names c, which is not in node_modules: npm install c',
  )
})

test.each([
  ['reads files beside its own', 'fonts', 'fonts looks for files beside its own (__dirname in index.js)'],
  ['brings native code', 'native', 'native brings native code (lib/build/native.node)'],
  ['brings native code for each platform', 'platforms', 'platforms brings native code (linux.node)'],
  ['asks where it is', '@scope/images', '@scope/images looks for files beside its own'],
])(
  'a package that %s does not get into the bundle: the build says what to write',
  async (_what, name, why) => {
    const program = `import * as it from '${name}'\nconsole.log(it)`
    await expect(run(program, [])).rejects.toThrow(why)
    await expect(run(program, [])).rejects.toThrow('name these packages in "unbundled" of package.json')
  },
)

test('code of a package that the bundle leaves out may look for what it likes', async () => {
  expect(await run("import { large } from '@scope/images/sizes'\nconsole.log(large)", [])).toBe('100\n')
})

test.each(["new URL('../assets', import.meta.url)", '__dirname'])(
  'nor may a file of ours, since the image has none of what is beside it: %s',
  async (place) => {
    await expect(run(`console.log(${place})`, [])).rejects.toThrow(
      /main\.ts looks for files beside its own, which the image does not have/,
    )
  },
)

test('but for files beside it and files of a package, which the build copies', async () => {
  const program = `import { readFileSync } from 'node:fs'
    const place = new URL('./main.ts', import.meta.url)
    const data = new URL('./data.txt', import.meta.resolve('fonts'))
    console.log(place.pathname, readFileSync(data, 'utf8'))`
  expect(await run(program, [])).toMatch(/\/dist\/files\/.*main\.ts Helvetica\n$/)
})

test.each([
  ["new URL('./mail.html', import.meta.url)", /main\.ts reads .*mail\.html, which is not there/],
  ["new URL('./none.txt', import.meta.resolve('fonts'))", /main\.ts reads .*none\.txt, which is not there/],
  ["import.meta.resolve('fonts')", /main\.ts asks where a package is, .* Name a file as in new URL\(/],
  ["new URL('./a.js', import.meta.resolve('nowhere'))", /reads a file of nowhere, which is not installed/],
])('a file that cannot be copied ends the build: %s', async (place, why) => {
  await expect(run(`console.log(${place})`, [])).rejects.toThrow(why)
})

test('and for what the image has beside the bundle', async () => {
  expect(await run("console.log(new URL('../migrations', import.meta.url).protocol)", [])).toBe('file:\n')
})

test.each([
  "decodeURIComponent('%zz')",
  "decodeURI('%zz')",
  "encodeURIComponent('\\ud800')",
  "new URL('x')",
  "JSON.parse('{')",
])('a call that is made to see whether it throws is in the bundle: %s', async (call) => {
  expect(await run(`try { ${call}; console.log('left out') } catch { console.log('thrown') }`, [])).toBe(
    'thrown\n',
  )
})

test('an import that leads nowhere ends the build', async () => {
  await expect(run("import 'nowhere'", [])).rejects.toThrow('nowhere')
})

test('what would die in the image dies in the build, and says why', async () => {
  const folder = await folderOf({})
  for (const path of [
    'src',
    'migrations',
    'openapi',
    'package.json',
    'build.ts',
    'bundle.ts',
    'files-beside.ts',
    'placeholders.ts',
    'start.cjs',
  ])
    await cp(path, join(folder, path), { recursive: true })
  await cp('unbundled.ts', join(folder, 'unbundled.ts'))
  await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  // found in this folder's node_modules, were it started here
  await writeFile(
    join(folder, 'src/migrate.ts'),
    "process.getBuiltinModule('module').createRequire(process.argv[1])('pg')",
  )
  const failed = await promisify(execFile)(process.execPath, ['build.ts'], { cwd: folder }).catch(
    (error) => error,
  )
  expect(failed).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/Cannot find module 'pg'[\s\S]*does not load/),
  })
})
