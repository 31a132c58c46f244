import { parse } from 'yaml'
import { z } from 'zod'

const words = z.array(z.string()).default([])
const seconds = z
  .string()
  .regex(/^\d+s$/, 'is seconds, such as 600s')
  .transform((text) => Number(text.slice(0, -1)))
const secret = z.strictObject({ versionName: z.string(), env: z.string() })

const step = z.strictObject({
  id: z.string(),
  name: z.string(),
  entrypoint: z.string(),
  args: words,
  env: words,
  secretEnv: words,
  waitFor: words,
  timeout: seconds.default(86_400),
})

const buildFile = z.strictObject({
  substitutions: z.record(z.string().regex(/^_[A-Z0-9_]+$/), z.string()).default({}),
  options: z.strictObject({ logging: z.string(), env: words }).partial().default({}),
  serviceAccount: z.string().optional(),
  availableSecrets: z.strictObject({ secretManager: z.array(secret) }).optional(),
  timeout: seconds.default(600),
  steps: z.array(step).min(1),
})

/** A build as Cloud Build would run it: all that is substituted, times in seconds. */
export type BuildFile = z.output<typeof buildFile>
/** One of its steps; an empty `waitFor` waits for all before it, `['-']` for none. */
export type Step = BuildFile['steps'][number]

/** Empty without a trigger, unless the submit gives them. */
const ofTriggers = ['COMMIT_SHA', 'SHORT_SHA', 'REVISION_ID', 'REPO_NAME', 'REPO_FULL_NAME', 'BRANCH_NAME']
const alsoOfTriggers = ['TAG_NAME', 'REF_NAME', 'TRIGGER_NAME', 'TRIGGER_BUILD_CONFIG_PATH']

/**
 * Reads a cloudbuild.yaml. What only some builds have (`dir`, `script`, `images`, …) is not imitated, and refused.
 *
 * @param text the file
 * @param builtIn PROJECT_ID, PROJECT_NUMBER, LOCATION and BUILD_ID
 * @param given what `--substitutions` says: the file's own, and what else a trigger would know
 * @throws what Cloud Build would say of it
 * @see https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values
 */
export function readBuildFile(
  text: string,
  builtIn: Record<string, string>,
  given: Record<string, string> = {},
): BuildFile {
  const { substitutions: own = {}, ...raw } = z.looseObject({}).parse(parse(text))
  const defaults = buildFile.shape.substitutions.parse(own)
  const triggers = Object.fromEntries([...ofTriggers, ...alsoOfTriggers].map((name) => [name, '']))
  const values: Record<string, string> = { ...triggers, ...defaults, ...given, ...builtIn }

  const used = new Set<string>()
  const substitute = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(substitute)
    if (value && typeof value === 'object')
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, substitute(inner)]))
    if (typeof value !== 'string') return value
    return value.replaceAll(/\$(?:\$|(\w+)|\{(\w+)\})/g, (found, bare?: string, braced?: string) => {
      const name = bare ?? braced
      if (name === undefined) return '$'
      used.add(name)
      if (values[name] === undefined) throw new Error(`${found}: the key ${name} is not a valid substitution`)
      return values[name]
    })
  }

  const build = buildFile.parse(substitute(raw))
  const unmatched = Object.keys({ ...defaults, ...given }).filter((name) => !used.has(name))
  if (unmatched.length > 0) throw new Error(`${unmatched}: substitutions that the file does not use`)
  for (const [index, { id, waitFor }] of build.steps.entries()) {
    const before = ['-', ...build.steps.slice(0, index).map((earlier) => earlier.id)]
    const unknown = waitFor.filter((name) => !before.includes(name))
    if (unknown.length > 0) throw new Error(`${id} waits for ${unknown}, which is no step before it`)
    if (before.includes(id)) throw new Error(`${id} is the id of two steps`)
  }
  return { ...build, substitutions: values }
}
