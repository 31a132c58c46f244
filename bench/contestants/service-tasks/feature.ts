import { features } from '../../../src/app.ts'
import type { Feature } from '../../../src/runtime/index.ts'
import { benchTasks } from './tasks.ts'
;(features as Feature[]).push(benchTasks)
