import type { Section } from '../harness/section.ts'
import { growth } from './growth.ts'
import { latency } from './latency.ts'
import { memory } from './memory.ts'
import { price } from './price.ts'
import { get, list, post, rejected } from './requests.ts'
import { size } from './size.ts'
import { firstOrder, start } from './start.ts'
import { tasks } from './tasks.ts'
import { tools } from './tools.ts'

/** All sections, in the order in which they run and stand in the results. */
export const sections: readonly Section[] = [
  ...[start, firstOrder, get, post, list, rejected, price],
  ...[memory, tasks, growth, latency, size, tools],
]
