import { parse } from 'yaml'
import { z } from 'zod'

const words = z.array(z.string()).default([])
const seconds = z.templateLiteral([z.int(), 's']).transform((text) => Number.parseInt(text, 10))
const secret = z.strictObject({ versionName: z.string(), env: z.string() })
const step = z.strictObject({
  ...{ id: z.string(), name: z.string(), entrypoint: z.string() },
  ...{ args: words, env: words, secretEnv: words, waitFor: words, timeout: seconds.default(86_400) },
  allowFailure: z.boolean().default(false),
})
const buildFile = z.strictObject({
  substitutions: z.record(z.string().regex(/^_[A-Z0-9_]+$/), z.string()).default({}),
  options: z.strictObject({ logging: z.string().optional() }).prefault({}),
  serviceAccount: z.string().optional(),
  availableSecrets: z.strictObject({ secretManager: z.array(secret) }).default({ secretManager: [] }),
  timeout: seconds.default(600),
  steps: z.array(step).min(1),
})

/** A build as Cloud Build runs it: substitutions are done, times are in seconds. */
export type BuildFile = z.output<typeof buildFile>
/** A step of it. An empty `waitFor` waits for all steps before it, `['-']` for none. */
export type Step = BuildFile['steps'][number]

/** Where Google documents substitutions, and two places where many people use them as well: see docs/decisions/031. */
const substitutable = ['steps', 'images', 'serviceAccount', 'availableSecrets']
/** Empty without a trigger, unless the submit gives a value. */
const triggers = /^((COMMIT|SHORT)_SHA|REVISION_ID|REPO_(FULL_)?NAME|(BRANCH|TAG|REF|TRIGGER)_NAME)$/

/**
 * Reads a cloudbuild.yaml. It refuses what only some builds have, and is not imitated: `dir`, `script`, `images`, …
 *
 * @param builtIn PROJECT_ID, PROJECT_NUMBER, LOCATION and BUILD_ID
 * @param given what `--substitutions` says: values for the file's own, and for what a trigger knows
 * @throws what Cloud Build says of it
 * @see https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values
 */
export function readBuildFile(
  text: string,
  builtIn: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>> = {},
): BuildFile {
  const { substitutions, ...raw } = z.looseObject({}).parse(parse(text))
  const own = { ...buildFile.shape.substitutions.parse(substitutions), ...given }
  const used = new Set<string>()

  function substitute(value: string): string {
    return value.replaceAll(/\$(?:\$|(\w+)|\{(\w+)\})/g, (found, bare?: string, braced?: string) => {
      const name = bare ?? braced
      if (name === undefined) return '$'
      used.add(name)
      const value = builtIn[name] ?? own[name] ?? (triggers.test(name) ? '' : undefined)
      if (value === undefined) throw new Error(`${found}: the key ${name} is not a valid substitution`)
      return value
    })
  }

  const substituted = Object.entries(raw).map(([key, part]) => [
    key,
    JSON.parse(
      JSON.stringify(part, (_key, value) =>
        typeof value === 'string' && substitutable.includes(key) ? substitute(value) : value,
      ),
    ),
  ])
  const build = buildFile.parse(Object.fromEntries(substituted))
  const unmatched = Object.keys(own).filter((name) => !used.has(name))
  if (unmatched.length > 0) throw new Error(`${unmatched}: substitutions that the file does not use`)
  for (const [index, { id, waitFor }] of build.steps.entries()) {
    const before = build.steps.slice(0, index).map((earlier) => earlier.id)
    const unknown = waitFor.filter((name) => name !== '-' && !before.includes(name))
    if (unknown.length > 0) throw new Error(`${id} waits for ${unknown}, which is no step before it`)
  }
  return build
}
