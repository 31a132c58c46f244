import { Problem, type ProblemError, problems } from './problem.ts'

/** A value on the way, with the place where it stands. */
interface Node {
  readonly value: unknown
  readonly key: string
  readonly parent: Node | undefined
}

/**
 * Refuses what is valid JSON (or a valid form) but poison further in: NUL, which PostgreSQL's text cannot hold, lone
 * surrogates, which UTF-8 cannot, and the name `__proto__`, which copies of an object lose.
 *
 * @param value a parsed body or query
 * @throws {Problem} VALIDATION_FAILED with a pointer to the place
 */
export function refusePoison(value: unknown, place: ProblemError['in']): void {
  const open: Node[] = [{ value, key: '', parent: undefined }]
  for (let node = open.pop(); node; node = open.pop()) {
    const { value: current } = node
    if (typeof current === 'string') refuseText(current, place, node)
    if (typeof current !== 'object' || current === null || current instanceof Blob) continue
    for (const [key, child] of Object.entries(current)) {
      const inner = { value: child, key, parent: node }
      refuseText(key, place, inner)
      if (key === '__proto__') throw refusal(place, pointerTo(inner), 'must not have the name __proto__')
      open.push(inner)
    }
  }
}

/**
 * One step of a JSON pointer in a URI fragment.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6901#section-6
 */
export function pointerStep(key: PropertyKey): string {
  return encodeURIComponent(String(key).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1'))
}

/** The problem of one place of the request. */
export function refusal(place: ProblemError['in'], pointer: string, detail: string): Problem {
  return new Problem(problems.VALIDATION_FAILED, {
    detail: `The ${place} ${detail}.`,
    errors: [{ detail, in: place, pointer }],
  })
}

function refuseText(text: string, place: ProblemError['in'], node: Node): void {
  if (text.includes('\0')) throw refusal(place, pointerTo(node), 'must not hold a NUL character')
  if (!text.isWellFormed())
    throw refusal(place, pointerTo(node), 'must be well-formed Unicode (it holds a lone surrogate)')
}

function pointerTo(node: Node): string {
  const steps: string[] = []
  for (let at = node; at.parent; at = at.parent) steps.push(pointerStep(at.key))
  return ['#', ...steps.reverse()].join('/')
}
