import type { Section } from '../harness/section.ts'
import { get, list, post, rejected } from './requests.ts'
import { start } from './start.ts'

/** All sections, in the order in which they run and stand in the results. */
export const sections: readonly Section[] = [start, get, post, list, rejected]
