/**
 * Values of variables without a default, for a service that serves nobody: in the build, for the contract, and in the
 * tests. Add one for each variable of yours without a default. Never write a real secret here.
 */
export const placeholders: Readonly<Record<string, string>> = {
  TASKS_QUEUE: 'projects/none/locations/none/queues/none',
  TASKS_INVOKER: 'nobody@example.com',
  TASKS_URL: 'http://localhost',
}
