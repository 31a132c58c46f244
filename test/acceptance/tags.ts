// What a test says of itself: `test('…', liveSafe, …)`.

/** It writes nothing, and may run against live. Its clients refuse to send what could write. */
export const liveSafe = { tags: ['live-safe'] }

/**
 * It needs a token as well, and is left out where there is none. A whole file says so by `@module-tag token` in a
 * comment at its top.
 */
export const liveSafeWithToken = { tags: ['live-safe', 'token'] }
