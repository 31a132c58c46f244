// Whose a file is: the table of docs/upgrading.md, in the same words. FEATURE is the name of a folder of src/.

/** Who changes a file. */
export type Owner = 'template' | 'fork' | 'shared' | 'generated'

/** Files and folders by their owner. */
export const owners: Readonly<Record<Owner, readonly string[]>> = {
  template: [
    ...[
      'src/runtime/',
      'migrations/runtime/',
      'deploy/',
      'dev/',
      'test/',
      'docs/',
      '.ci/',
      'bench/',
      'build.ts',
      'bundle.ts',
    ],
    ...['files-beside.ts', 'unbundled.ts', 'start.cjs', 'CHANGELOG.md', 'LICENSE'],
  ],
  fork: [
    ...['src/FEATURE/', 'test/FEATURE/', 'test/acceptance/FEATURE/', 'dev/FEATURE/'],
    ...['migrations/features/', 'openapi/clients/'],
  ],
  shared: [
    ...['src/app.ts', 'src/main.ts', 'src/migrate.ts', 'package.json', 'cloudbuild.yaml', 'Dockerfile'],
    ...[
      '.env.example',
      'placeholders.ts',
      'deploy/environments/',
      'deploy/monitoring/',
      'README.md',
      'SECURITY.md',
      'CONTRIBUTING.md',
    ],
  ],
  generated: ['openapi/openapi.json', 'openapi/internal.json', 'openapi/client.ts', 'package-lock.json'],
}

/** What a merge never takes from a release: what the fork makes for itself. */
export const leftOut: readonly string[] = [
  ...owners.generated,
  ...owners.fork.filter((path) => !path.includes('FEATURE')),
]

/**
 * Tells whose a file is. The longest path that fits decides; configuration of tools is shared.
 *
 * @param features the folders of src/ that are features
 */
export function ownerOf(path: string, features: readonly string[]): Owner {
  const fits = Object.entries(owners).flatMap(([owner, places]) =>
    places
      .flatMap((place) =>
        place.includes('FEATURE') ? features.map((feature) => place.replace('FEATURE', feature)) : place,
      )
      .filter((place) => (place.endsWith('/') ? path.startsWith(place) : path === place))
      .map((place) => ({ owner: owner as Owner, length: place.length })),
  )
  return fits.sort((one, other) => other.length - one.length)[0]?.owner ?? 'shared'
}
