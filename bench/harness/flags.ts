import metadata from '../../package.json' with { type: 'json' }

/** V8's flags of `npm start`. All contestants get them: they are settings of the machine, not of the service. */
export function nodeFlags(): string[] {
  return metadata.scripts.start.split(' ').slice(1, -1)
}
