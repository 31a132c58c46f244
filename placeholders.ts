/**
 * Values of variables that the service does not start without, for where it serves nobody: the build, the contract, the
 * tests. A variable of yours without a default has one here; no value may be a real secret.
 */
export const placeholders: Readonly<Record<string, string>> = {
  TASKS_QUEUE: 'projects/none/locations/none/queues/none',
  TASKS_INVOKER: 'nobody@example.com',
  TASKS_URL: 'http://localhost',
}
