import { existsSync } from 'node:fs'
import { cp, readFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'

// The packages that stay outside the bundle: those that package.json names in "unbundled", and all that these need.

interface Manifest {
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
  readonly peerDependencies?: Record<string, string>
  readonly peerDependenciesMeta?: Record<string, { readonly optional?: boolean }>
}

/** Whether an import is of one of these packages, or of a file in it. */
export function isOf(packages: readonly string[], specifier: string): boolean {
  return packages.some((name) => specifier === name || specifier.startsWith(`${name}/`))
}

/**
 * Copies packages, with all that they depend on, as npm has installed them: to the same place below `target` as below
 * `root`.
 *
 * @param names packages that `root` itself depends on
 * @param root the folder whose node_modules has them
 * @param target the folder that gets a node_modules of its own
 * @throws {Error} naming the package that is not installed
 */
export async function copyPackages(names: readonly string[], root: string, target: string): Promise<void> {
  for (const folder of await packagesOf(names, resolve(root))) {
    const nested = join(folder, 'node_modules')
    await cp(folder, join(target, relative(resolve(root), folder)), {
      recursive: true,
      filter: (source) => source !== nested,
    })
  }
}

/** The folders of packages and of all that they depend on, each once. */
async function packagesOf(names: readonly string[], root: string): Promise<Set<string>> {
  const found = new Set<string>()
  const open = names.map((name) => ({ name, from: root, by: 'package.json' }))
  for (let next = open.pop(); next; next = open.pop()) {
    const { name, from, by } = next
    const folder = locate(name, from, root)
    if (!folder) throw new Error(`${by} names ${name}, which is not in node_modules: npm install ${name}`)
    if (found.has(folder)) continue
    found.add(folder)
    for (const needed of await needs(folder)) open.push({ name: needed, from: folder, by: name })
  }
  return found
}

/** The packages that a package needs. npm leaves out optional ones that are for other machines. */
async function needs(folder: string): Promise<string[]> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest
  const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = manifest
  const isOptional = (name: string) =>
    name in optionalDependencies || manifest.peerDependenciesMeta?.[name]?.optional === true
  const all = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })
  return all.filter((name) => !isOptional(name) || locate(name, folder))
}

/** Where Node finds a package: in the nearest node_modules above. */
function locate(name: string, from: string, root = '/'): string | undefined {
  const folder = join(from, 'node_modules', name)
  if (existsSync(join(folder, 'package.json'))) return folder
  return from === root || from === dirname(from) ? undefined : locate(name, dirname(from), root)
}
