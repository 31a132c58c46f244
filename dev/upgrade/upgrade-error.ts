/** Something that a person mends: its message says what is wrong and what to write. */
export class UpgradeError extends Error {}
