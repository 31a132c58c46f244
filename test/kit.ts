/**
 * All that a feature's tests use of the test kit, by one name: `import { testService } from '#test/kit'`.
 *
 * @module
 */

export { atEnd } from './support/at-end.ts'
export { type Api, client } from './support/client.ts'
export { makeDatabase, onServer } from './support/database.ts'
export { startTarget, type Target } from './support/emulator.ts'
export { expectJson, expectProblem, type Json } from './support/expect.ts'
export { noDatabase } from './support/feature.ts'
export { pointers } from './support/forms.ts'
export { type Contract, holdToContract, operationsOf } from './support/held-to-contract.ts'
export { temporaryFolder } from './support/migrations.ts'
export { readPages } from './support/pages.ts'
export {
  expectLog,
  type LogEntry,
  refusesConnections,
  type ServiceProcess,
  startService,
} from './support/process.ts'
export { proxyDatabase } from './support/proxy.ts'
export { query } from './support/query.ts'
export { rawRequest } from './support/raw.ts'
export { expand, makeRepository, writeFiles } from './support/repository.ts'
export { runTwice, type Scenario } from './support/run-twice.ts'
export { serve } from './support/serve.ts'
export { testServer } from './support/server.ts'
export { testService } from './support/service.ts'
export { lockWaits, openSession } from './support/session.ts'
export { tap } from './support/tap.ts'
export { type TaskService, taskService } from './support/task-service.ts'
export { emulated, testTasks } from './support/task-variables.ts'
export { as } from './support/tokens.ts'
export { type WorkingCopy, workingCopy } from './support/working-copy.ts'
