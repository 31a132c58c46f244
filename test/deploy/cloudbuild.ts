import { parse } from 'yaml'
import { Build } from './cloudbuild-schema.ts'

/** Always there, though many are empty without a trigger. */
const builtIn =
  /^(PROJECT_(ID|NUMBER)|BUILD_ID|LOCATION|TRIGGER_NAME|TRIGGER_BUILD_CONFIG_PATH|COMMIT_SHA|SHORT_SHA|REVISION_ID|REPO_(FULL_)?NAME|BRANCH_NAME|TAG_NAME|REF_NAME|SERVICE_ACCOUNT(_EMAIL)?)$/

/**
 * What is wrong with the text of a `cloudbuild.yaml`, a line each: by Google's schema, by what it checks when a build
 * is submitted, and by our own rule that a step's id begins with its stage.
 */
export function problemsOf(text: string): string[] {
  const { success, data, error } = Build.safeParse(parse(text))
  if (!success) return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  return [
    ...inSubstitutions(data),
    ...inPlaces(data),
    ...inOrder(data),
    ...inSecrets(data),
    ...inAccount(data),
    ...inTime(data),
  ]
}

function inSubstitutions({ substitutions = {}, ...build }: Build): string[] {
  const text = JSON.stringify([build, Object.values(substitutions)])
  const names = text.replaceAll('$$', '').matchAll(/\$(?:\{(\w+)\}|(\w+))/g)
  const used = new Set(Array.from(names, ([, braced, bare]) => braced ?? bare ?? ''))
  const unknown = [...used].filter((name) => !(name in substitutions || builtIn.test(name)))
  const unused = Object.keys(substitutions).filter((name) => !used.has(name))
  return [...unknown.map((name) => `$${name} is not defined`), ...unused.map((name) => `${name} is not used`)]
}

/** Google documents substitutions in steps and images; for the other two see docs/decisions/031. */
function inPlaces(build: Build): string[] {
  const { substitutions, steps, images, serviceAccount, availableSecrets, ...others } = build
  return Object.entries(others).flatMap(([key, value]) =>
    JSON.stringify(value).includes('$') ? [`${key} has a substitution, where none is documented`] : [],
  )
}

/** A build that is cut in the middle of a step does not give traffic back. */
function inTime({ steps, timeout = '600s' }: Build): string[] {
  const sum = steps.reduce((total, step) => total + Number.parseInt(step.timeout ?? timeout, 10), 0)
  const limit = Number.parseInt(timeout, 10)
  return sum > limit ? [`the steps may take ${sum} s together, but the build ${limit} s`] : []
}

function inOrder({ steps }: Build): string[] {
  return steps.flatMap(({ id, waitFor = [] }, index) => {
    const earlier = ['-', ...steps.slice(0, index).map((step) => step.id)]
    return [
      ...(/^((check|build|try|push)$|(staging|live)-[a-z])/.test(id) ? [] : [`${id} does not say its stage`]),
      ...(earlier.includes(id) ? [`${id} is there twice`] : []),
      ...waitFor.filter((name) => !earlier.includes(name)).map((name) => `${id} waits for ${name}`),
    ]
  })
}

function inSecrets({ steps, options, availableSecrets }: Build): string[] {
  const used = [options ?? {}, ...steps].flatMap(({ secretEnv = [] }) => secretEnv)
  const available = availableSecrets?.secretManager.map(({ env }) => env) ?? []
  const unknown = used.filter((name) => !available.includes(name))
  const unused = available.filter((name) => !used.includes(name))
  return [...unknown, ...unused].map((name) => `the secret ${name} is not both available and used`)
}

function inAccount({ serviceAccount, options, logsBucket }: Build): string[] {
  const logs = logsBucket || ['CLOUD_LOGGING_ONLY', 'NONE'].includes(options?.logging ?? '')
  return serviceAccount && !logs ? ['with a service account of its own it must say where its logs go'] : []
}
